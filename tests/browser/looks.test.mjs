// SPDX-License-Identifier: MIT
//
// looks - every view in both themes and three widths: nothing serious for axe-core, nothing wider
// than the window, no fault; and a picture of each in build/browser, to be looked at.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";
import {before, test} from "node:test";

import {eventually, openPage, pictures, startCluster, startTarget} from "./world.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [[360, 780], [1280, 900], [1920, 1080]];

let site;

before(async () => {
  site = await startCluster(2, ["-H", await startTarget(), "-u", "20", "-r", "10"]);
});

async function checkWithAxe(page, name) {
  // It is run by the browser's debugger, which the page's policy does not bind.
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run());
  const serious = violations.filter(({impact}) => ["serious", "critical"].includes(impact));

  assert.deepEqual(serious.map(({id, nodes}) => [id, nodes.map(({html}) => html)]), [], name);
}

/** In every width and theme; axe once for each theme, since a width changes no colour and no label. */
async function look(page, view) {
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({colorScheme: theme});
    for (const [width, height] of WIDTHS) {
      const name = `${view}-${width}-${theme}`;

      await page.setViewportSize({width, height});
      // Charts take the new width and colours in the next frames.
      await page.evaluate(() => new Promise((done) =>
        requestAnimationFrame(() => requestAnimationFrame(done))));
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0,
                   `${name} is wider than its window`);
      await page.screenshot({path: join(pictures, `${name}.png`)});
      if (width === 1280)
        await checkWithAxe(page, name);
    }
  }
  assert.deepEqual(page.faults, []);
}

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

test("the window for a new test, and the one about", async () => {
  await site.stop();
  const page = await openPage(site);

  await page.locator("#new").click();
  await look(page, "new");
  await page.keyboard.press("Escape");
  await page.getByRole("button", {name: /^Cicada \d/}).click();
  await look(page, "about");
});
