// SPDX-License-Identifier: MIT
//
// matrix_live - the driver's page while a real matrix runs: it fills, it says what is done, and
// outlasts the driver.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";

import {look} from "./looking.mjs";
import {cells, eventually, folder, openPage, startDriver} from "./world.mjs";

const PAGE = /Page: (http:\/\/127\.0\.0\.1:\d+)\/matrix/;
const THROUGHPUT = "Throughput (requests/s), 1 worker";

function start(results, ...args) {
  return startDriver(results, ["--replicas", "1,2", "--workers", 1, "--poll", 0.5, "--spawn-rate", 100, "--page-port", 0, ...args], PAGE);
}

function open(driver, options) {
  return openPage({url: driver.ready[1]}, {path: "/matrix", ...options});
}

/** How many cells of the first map have a number. */
function filled(page) {
  return page.locator(".heatmap").first().locator(".heat button").count();
}

test("a matrix fills up, ends, and stays", async () => {
  const results = folder(), driver = await start(results, "--users", "8,16", "--duration", 3);
  const page = await open(driver), seen = new Set();

  await page.locator(".heat.now").first().waitFor();
  await page.locator("#rps").waitFor();
  await eventually("the end", async () => {
    seen.add(await filled(page));
    return await page.locator("#ended").isVisible();
  });
  // Some were seen before all were there.
  assert.ok([...seen].some((count) => count > 0 && count < 4), [...seen].join());
  assert.match(await page.locator("#ended").textContent(), /every scenario has its row/);
  await eventually("the last row", async () => await filled(page) === 4);
  await driver.ended;

  const {rows} = JSON.parse(readFileSync(join(results, "report.json"), "utf8"));
  const map = await cells(page, THROUGHPUT);
  rows.forEach((row, i) => assert.match(map[Math.floor(i / 2)][1 + i % 2],
                                        new RegExp(`^${row.figures.RPS.value.toFixed(2)}`)));
  // It can still be used.
  await page.getByRole("button", {name: "Details of row 4"}).click();
  await page.getByRole("dialog").waitFor();
  assert.equal(await page.locator(".heat.now").count(), 0);
  assert.deepEqual(page.faults, []);
});

test("while it runs: step, numbers and rest, in every width", async () => {
  const driver = await start(folder(), "--users", "8", "--duration", 600);
  const page = await open(driver);

  await page.locator("#step", {hasText: "measuring"}).waitFor();
  await eventually("requests", async () => Number(await page.locator("#rps").textContent()) > 0);
  assert.match(await page.locator(".doing").innerText(), /Scenario 1 of 2: 1 replica, 1 worker, 8 users/);
  assert.match(await page.locator("#step").textContent(), /^Step \d+ of \d+: measuring for \d+ s$/);
  assert.match(await page.locator(".rest").textContent(), /\d+ %, about \d+ min \d+ s left/);
  assert.match(await page.locator(".log").textContent(), /\[1\/2\] replicas=1 workers=1 users=8 .*RPS: /);
  await look(page, "matrix-live", {fullPage: true});

  await driver.stop();
  await page.locator("#ended", {hasText: "interrupted"}).waitFor();
  assert.match(await page.locator("#state").textContent(), /interrupted/);
});

test("a driver that is killed: what it said last stays", async () => {
  const driver = await start(folder(), "--users", "8", "--duration", 600);
  const page = await open(driver);

  await page.locator("#step", {hasText: "measuring"}).waitFor();
  await driver.stop("SIGKILL");
  await page.locator("#lost", {hasText: "does not answer"}).waitFor();
  assert.match(await page.locator("#state").textContent(), /lost/);
  assert.equal((await cells(page, THROUGHPUT)).length, 2);
});
