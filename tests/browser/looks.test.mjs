// SPDX-License-Identifier: MIT
//
// looks - every view of the page of a test, looked at.
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {before, test} from "node:test";

import {look} from "./looking.mjs";
import {eventually, folder, openFile, openPage, startCluster, startTarget} from "./world.mjs";

let site;

before(async () => {
  site = await startCluster(2, ["-H", await startTarget(), "-u", "20", "-r", "10"]);
});

test("the form before the first test", async () => {
  const page = await openPage(site);

  await page.getByRole("button", {name: "Start"}).waitFor();
  await look(page, "start");
  await page.getByRole("button", {name: "Settings of Visitor"}).click();
  await look(page, "class");
});

const CONTENT = {
  stats: "tfoot", charts: ".u-wrap canvas", latency: ".u-wrap canvas", failures: "tbody .bad, tbody .n",
  exceptions: "summary", ratio: "meter", reports: "a", logs: ".log span", workers: "tbody .state",
};

test("the tabs while a test runs, and the window to change it", async () => {
  await site.swarm({user_count: 20, spawn_rate: 10});
  await site.requests(500);
  await eventually("exceptions", async () => (await site.get("exceptions")).exceptions.length);
  const page = await openPage(site);

  for (const [tab, content] of Object.entries(CONTENT)) {
    await page.locator(`#tab-${tab}`).click();
    await page.locator(`#panel ${content}`).first().waitFor();
    await look(page, tab);
  }
  await page.locator("#edit").click();
  await page.getByRole("button", {name: "Update"}).waitFor();
  await look(page, "edit");
});

test("the report", async () => {
  const path = join(folder(), "report.html");

  writeFileSync(path, await site.text("stats/report?download=1"));
  await look(await openFile(path, {heading: "Charts"}), "report", {fullPage: true});
});

test("the window for a new test, and the one about", async () => {
  await site.stop();
  const page = await openPage(site);

  await page.locator("#new").click();
  await look(page, "new");
  await page.keyboard.press("Escape");
  await page.getByRole("button", {name: /^Cicada \d/}).click();
  await look(page, "about");
});
