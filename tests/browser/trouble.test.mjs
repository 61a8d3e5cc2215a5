// SPDX-License-Identifier: MIT
//
// trouble - what a page has to bear: another page beside it, a master that is started anew, names
// that are no names, many of them, a token, a proxy, and being looked away from.
import assert from "node:assert/strict";
import http from "node:http";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {after, before, test} from "node:test";

import {Site, cells, eventually, folder, openPage, startMaster, startTarget} from "./world.mjs";

let target;

before(async () => {
  target = await startTarget();
});

function has(page, id, text) {
  return eventually(`#${id} shows ${text}`, async () =>
    (await page.locator(`#${id}`).textContent()) === text);
}

/** Those of the API that the page asks for again and again. */
function polls(page) {
  return page.evaluate(() => performance.getEntriesByName(
    new URL("stats/requests", location.href).href).length);
}

test("two pages show one test, whichever of them rules it", async () => {
  const site = await Site.start(["-H", target, "-u", "2", "-r", "10"]);
  const one = await openPage(site), two = await openPage(site, {tab: "charts"});

  await one.getByRole("button", {name: "Start"}).click();
  for (const page of [one, two]) {
    await has(page, "state", "running");
    await has(page, "users", "2");
  }
  await two.locator("#edit").click();
  await two.getByLabel("Number of users (peak)").fill("5");
  await two.getByRole("button", {name: "Update"}).click();
  await has(one, "users", "5");
  await one.locator("#stop").click();
  for (const page of [one, two])
    await has(page, "state", "stopped");
  // What is offered next was asked for by the other page.
  await eventually("5 users offered", async () => {
    await one.locator("#new").click();
    const offered = await one.getByLabel("Number of users (peak)").inputValue();
    await one.keyboard.press("Escape");
    return offered === "5";
  });
  assert.deepEqual([...one.faults, ...two.faults], []);
});

test("the page outlives its server, and says when another one answers", async () => {
  const site = await Site.start(["-H", target, "-u", "2", "-r", "10", "--autostart"]);
  const port = Number(site.program.ready[1]);
  const page = await openPage(site);

  await site.requests(20);
  await has(page, "users", "2");
  await site.program.stop();
  await page.locator("#lost").waitFor();
  assert.match(await page.locator("#lost").textContent(), /does not answer\. What is shown is old/);
  assert.equal(await page.locator("#users").textContent(), "2");
  await Site.start(["-H", target], port);
  await page.locator("#restarted").waitFor();
  await page.locator("#lost").waitFor({state: "detached"});
  await has(page, "state", "ready");
  await page.getByRole("button", {name: "Start"}).waitFor();
  // The browser says on its own that nobody was there.
  assert.deepEqual(page.faults.filter((fault) => !/ERR_CONNECTION|ERR_EMPTY|ERR_NETWORK/.test(fault)), []);
});

test("a master without workers says so, and starts when one is there", async () => {
  const {site, join: addWorker} = await startMaster(["-H", target, "-u", "1"]);
  const page = await openPage(site), start = page.getByRole("button", {name: "Start"});

  await page.locator("#no-workers").waitFor();
  assert.ok(await start.isDisabled());
  await addWorker();
  await page.locator("#no-workers").waitFor({state: "detached"});
  await start.click();
  await has(page, "users", "1");
  assert.deepEqual(page.faults, []);
});

test("500 names", async () => {
  process.env.BROWSER_NAMES = "520";
  const site = await Site.start(["-H", target]);
  delete process.env.BROWSER_NAMES;

  await site.swarm({user_count: 40, spawn_rate: 100});
  await eventually("500 rows", async () => (await site.get("stats/requests")).stats.length === 501);
  await site.stop();
  const page = await openPage(site);
  const {stats} = await site.get("stats/requests");
  assert.deepEqual((await cells(page, "Statistics")).map((row) => row[1]),
                   stats.slice(0, -1).map(({name}) => name));
  // Head and sum stay in sight while the rows move.
  const region = page.getByRole("region", {name: "Statistics"});
  await region.evaluate((box) => box.scrollTo(0, box.scrollHeight / 2));
  const frame = await region.boundingBox();
  for (const part of ["thead th", "tfoot td"]) {
    const box = await region.locator(part).first().boundingBox();
    assert.ok(box.y >= frame.y - 1 && box.y + box.height <= frame.y + frame.height + 1, part);
  }
  await page.locator("#tab-charts").click();
  assert.equal(await page.locator("#panel select").locator("option").count(), 501);
  assert.deepEqual(page.faults, []);
});

test("names that want to be more than names are text", async () => {
  process.env.BROWSER_HOSTILE = "1";
  const site = await Site.start(["-H", target]);
  delete process.env.BROWSER_HOSTILE;

  await site.swarm({user_count: 5, spawn_rate: 100});
  await eventually("all names, all of them failed", async () => {
    const {stats, errors} = await site.get("stats/requests");
    return stats.length >= 12 && errors.length >= 9;
  });
  await site.stop();
  const page = await openPage(site, {width: 360, height: 780});
  const {stats, errors} = await site.get("stats/requests");
  assert.ok(stats.some(({name}) => name.startsWith("<script>")));
  assert.ok(stats.some(({name}) => name.includes("\u05e9")));
  assert.ok(stats.some(({name}) => name.length >= 1000));
  assert.deepEqual((await cells(page, "Statistics")).map((row) => row[1]),
                   stats.slice(0, -1).map(({name}) => name));
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await page.locator("#tab-failures").click();
  assert.deepEqual((await cells(page, "Failures")).map((row) => row[3]), errors.map(({error}) => error));
  for (const tab of ["charts", "latency"]) {
    await page.locator(`#tab-${tab}`).click();
    const select = page.locator("#panel select");
    for (let i = 0; i < await select.locator("option").count(); i++)
      await select.selectOption({index: i});
    await page.locator("#panel .u-wrap canvas").first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  }
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator("main script, main img").count(), 0);
  assert.deepEqual(page.faults, []);
});

test("with a token the browser asks for it once", async () => {
  const token = "a-token-of-the-browser-tests", file = join(folder(), "token");

  writeFileSync(file, `${token}\n`);
  const site = await Site.start(["-H", target, "--web-token", file]);
  assert.equal((await fetch(site.url)).status, 401);
  const page = await openPage(site, {httpCredentials: {username: "any", password: token}});
  await page.getByRole("button", {name: "Start"}).click();
  await has(page, "state", "running");
  await page.locator("#stop").click();
  await has(page, "state", "stopped");
  assert.deepEqual(page.faults, []);
});

/** Passes on what comes below /loads/. */
async function startProxy(site) {
  const proxy = http.createServer((request, response) => {
    if (!request.url.startsWith("/loads/")) {
      response.writeHead(404).end();
      return;
    }
    request.pipe(http.request(site.url + request.url.slice("/loads".length),
                              {method: request.method, headers: request.headers}, (reply) => {
      response.writeHead(reply.statusCode, reply.headers);
      reply.pipe(response);
    }).on("error", () => response.destroy()));
  });

  await new Promise((done) => proxy.listen(0, "127.0.0.1", done));
  after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${proxy.address().port}`;
}

test("the page works below a path that a proxy gives it", async () => {
  const site = await Site.start(["-H", target]);
  const page = await openPage({url: await startProxy(site)}, {path: "/loads/"});

  await page.getByRole("button", {name: "Start"}).click();
  await has(page, "state", "running");
  for (const tab of ["charts", "latency", "failures", "exceptions", "ratio", "reports", "logs", "stats"])
    await page.locator(`#tab-${tab}`).click();
  await page.locator("#stop").click();
  await has(page, "state", "stopped");
  assert.deepEqual(page.faults, []);
});

test("a hidden page asks nothing, and is up to date when it is looked at again", async () => {
  const site = await Site.start(["-H", target]);
  const page = await openPage(site);
  const hide = (isHidden) => page.evaluate((value) => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => value});
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);

  await hide(true);
  await page.waitForLoadState("networkidle");
  // The turn that was on its way when it was hidden is over by then.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 2500)));
  const before = await polls(page);
  await page.evaluate(() => new Promise((done) => setTimeout(done, 5000)));
  assert.equal(await polls(page), before);
  await site.swarm({user_count: 1, spawn_rate: 1});
  await hide(false);
  await has(page, "users", "1");
  assert.deepEqual(page.faults, []);
});

test("the theme is the system's until the switch says otherwise, and is kept", async () => {
  const site = await Site.start(["-H", target]);
  const page = await openPage(site, {theme: "dark"});
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await back();

  await page.emulateMedia({colorScheme: "light"});
  const light = await back();
  assert.notEqual(light, dark);
  await page.getByRole("button", {name: "Use the dark theme"}).click();
  assert.equal(await back(), dark);
  await page.reload();
  await page.getByRole("button", {name: "Use the light theme"}).waitFor();
  assert.equal(await back(), dark);
  assert.deepEqual(page.faults, []);
});
