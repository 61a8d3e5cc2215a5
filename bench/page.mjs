// SPDX-License-Identifier: MIT
//
// page - what the page of a test costs the reader: bytes, time to the first paint, CPU and heap
// while a test with 200 names runs. Needs build/release and Chromium, and a machine that is quiet.
//
//	tools/npm_ci tests/browser && node bench/page.mjs [MINUTES of each tab, default 2]
import {test} from "node:test";

import {Site, eventually, openPage, sleep, startTarget} from "../tests/browser/world.mjs";

const NAMES = 200, MINUTES = Number(process.argv[2] ?? 2), LOADS = 15, HEAP_EVERY_S = 20;

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function packedBytes(site) {
  let sum = 0;

  for (const path of ["", "assets/test.js", "assets/test.css"]) {
    const page = await fetch(`${site.url}/${path}`, {headers: {"Accept-Encoding": "gzip"}});
    sum += Number(page.headers.get("Content-Length"));
  }
  return sum;
}

/** CPU seconds of all processes that show pages, so far. */
async function cpuSeconds(page) {
  const browser = await page.context().browser().newBrowserCDPSession();
  const {processInfo} = await browser.send("SystemInfo.getProcessInfo");

  await browser.detach();
  return processInfo.filter(({type}) => type === "renderer").reduce((sum, one) => sum + one.cpuTime, 0);
}

test("the page", async () => {
  process.env.BROWSER_NAMES = String(NAMES);
  const site = await Site.start(["-H", await startTarget()]);
  const say = (what, value) => console.log(JSON.stringify({what, value}));
  const paints = [];

  say("bytes, gzipped", await packedBytes(site));
  await site.swarm({user_count: 20, spawn_rate: 100});
  await eventually(`${NAMES} names`, async () => (await site.get("stats/requests")).stats.length > NAMES);
  for (let i = 0; i < LOADS; i++) {
    const page = await openPage(site);
    paints.push(await page.evaluate(() =>
      performance.getEntriesByName("first-contentful-paint")[0].startTime));
    await page.context().close();
  }
  say("first paint, ms: median, best, worst",
      [median(paints), Math.min(...paints), Math.max(...paints)].map(Math.round));
  for (const tab of ["stats", "charts"]) {
    const page = await openPage(site, {tab}), cdp = await page.context().newCDPSession(page);
    const heap = [];

    await sleep(5000);
    const cpu = await cpuSeconds(page), begin = Date.now();
    while (Date.now() - begin < MINUTES * 60000) {
      await sleep(HEAP_EVERY_S * 1000);
      await cdp.send("HeapProfiler.collectGarbage");
      heap.push(Math.round((await cdp.send("Runtime.getHeapUsage")).usedSize / 1e4) / 100);
    }
    const share = (await cpuSeconds(page) - cpu) / ((Date.now() - begin) / 1000);
    say(`${tab}: CPU of the renderers, % of a core`, Math.round(share * 1000) / 10);
    say(`${tab}: heap, MB, every ${HEAP_EVERY_S} s`, heap);
    await page.context().close();
  }
});
