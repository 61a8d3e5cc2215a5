// SPDX-License-Identifier: MIT
//
// looking - a view in both themes and three widths: nothing serious for axe-core, nothing wider than
// the window, no fault; and a picture of each in build/browser, to be looked at.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";

import {pictures} from "./world.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [[360, 780], [1280, 900], [1920, 1080]];

async function checkWithAxe(page, name) {
  // It is run by the browser's debugger, which the page's policy does not bind.
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run());
  const serious = violations.filter(({impact}) => ["serious", "critical"].includes(impact));

  assert.deepEqual(serious.map(({id, nodes}) => [id, nodes.map(({html}) => html)]), [], name);
}

/** axe once for each theme, since a width changes no colour and no label. */
export async function look(page, view, {fullPage = false} = {}) {
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
      await page.screenshot({path: join(pictures, `${name}.png`), fullPage});
      if (width === 1280)
        await checkWithAxe(page, name);
    }
  }
  assert.deepEqual(page.faults, []);
}
