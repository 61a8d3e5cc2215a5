// SPDX-License-Identifier: MIT
//
// views - what the tabs show of a test that was made by two workers is what the API says of it.
import assert from "node:assert/strict";
import {readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {before, test} from "node:test";

import {Site, cells, eventually, folder, openFile, openPage, startCluster, startTarget} from "./world.mjs";

let target, site;

before(async () => {
  target = await startTarget();
  site = await startCluster(2, ["-H", target]);
  await site.swarm({user_count: 10, spawn_rate: 20});
  await site.requests(800);
  await eventually("an exception", async () => (await site.get("exceptions")).exceptions.length);
});

/** What a cell says, as a number. */
function value(text) {
  assert.match(text, /^-?[\d,]+(\.\d+)?( %)?$/);
  return Number(text.replace(/[, %]/g, ""));
}

/** As many digits as are shown. */
function assertShown(text, wanted, what) {
  const digits = (/\.(\d+)/.exec(text)?.[1] ?? "").length;

  assert.ok(Math.abs(value(text) - wanted) <= 0.5000001 * 10 ** -digits, `${what}: ${text}, not ${wanted}`);
}

async function column(page, label, index) {
  return (await cells(page, label)).map((row) => row[index]);
}

test("charts of a test that runs: from its start, with values under the pointer", async () => {
  const page = await openPage(site, {tab: "charts"});
  const chart = page.locator("figure").first(), plot = chart.locator(".u-over");
  const legend = () => chart.locator(".u-legend").innerText();

  await plot.waitFor();
  const box = await plot.boundingBox();
  const hover = async (share) => {
    await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
    return eventually("a time in the legend", async () => /\d\d:\d\d:\d\d/.exec(await legend())?.[0]);
  };
  const first = await hover(0.002);
  const history = await site.get("stats/history");
  const begin = new Date(history.time[0] * 1000);
  assert.equal(first, [begin.getHours(), begin.getMinutes(), begin.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":"));
  await hover(0.998);
  assert.match(await legend(), /Requests\/s:?\s*[\d,]+(\.\d)?\s*Failures\/s:?\s*[\d,]+(\.\d)?/);
  assert.match(await page.locator("figure").nth(2).locator("[role=img]").getAttribute("aria-label"),
               /Users 10$/);

  // A drag shows its part, All shows all.
  await page.mouse.move(box.x + box.width * 0.5, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 60, {steps: 5});
  await page.mouse.up();
  await page.getByText("Zoomed").waitFor();
  assert.notEqual(await hover(0.002), first);
  await page.getByRole("button", {name: "All", exact: true}).click();
  await page.getByText("Drag to zoom").waitFor();
  await eventually("the start again", async () => await hover(0.002) === first);
  await page.getByRole("button", {name: "5 min"}).click();
  assert.equal(await page.getByRole("button", {name: "5 min"}).getAttribute("aria-pressed"), "true");
  assert.deepEqual(page.faults, []);
});

test("charts stand still in a pause, and are there for one name", async () => {
  const page = await openPage(site, {tab: "charts"});
  const label = () => page.locator("figure [role=img]").evaluateAll((all) =>
    all.map((one) => one.getAttribute("aria-label")));

  await page.getByRole("button", {name: "Pause"}).click();
  const paused = await label();
  const seen = (await site.get("stats/requests")).stats.at(-1).num_requests;
  await site.requests(seen + 1);
  // The page has polled since: what is always in sight moves on.
  const polls = await page.evaluate(() => performance.getEntriesByName(
    new URL("stats/requests", location.href).href).length);
  await eventually("two more polls", () => page.evaluate((before) => performance.getEntriesByName(
    new URL("stats/requests", location.href).href).length >= before + 2, polls));
  assert.deepEqual(await label(), paused);
  await page.getByRole("button", {name: "Go on"}).click();
  await page.locator("#panel select").selectOption({label: "GET /slow"});
  await eventually("values of the name", async () =>
    /50%ile [\d.,]+, 95%ile [\d.,]+, 99%ile [\d.,]+, Average now/.test((await label())[1]));
  assert.deepEqual(page.faults, []);
});

test("a chart is saved as a picture", async () => {
  const page = await openPage(site, {tab: "charts"});
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", {name: /PNG: save "Number of users"/}).click(),
  ]);

  assert.equal(download.suggestedFilename(), "number_of_users_light.png");
  const bytes = readFileSync(await download.path());
  assert.equal(bytes.subarray(1, 4).toString(), "PNG");
  assert.ok(bytes.length > 2000);
  assert.deepEqual(page.faults, []);
});

test("workers are as the master knows them", async () => {
  const page = await openPage(site, {tab: "workers"});

  await eventually("lag of both", async () =>
    (await site.get("stats/requests")).workers.every(({lag_p99_ms: lag}) => lag !== null));
  await eventually("the same on the page", async () => {
    const {workers} = await site.get("stats/requests");
    const shown = await cells(page, "Workers");

    assert.deepEqual(shown.map(([index, id, state, users]) => [+index, id, state, +users]),
                     workers.map((one) => [one.index, one.id, one.state, one.user_count]));
    for (const [at, row] of shown.entries()) {
      assertShown(row[4], workers[at].cpu_usage, "CPU");
      assert.match(row[5], /^[\d.]+ MB$/);
      assertShown(row[6], workers[at].lag_p99_ms, "lag");
      assert.equal(row[7], `Cicada ${workers[at].cicada}`);
    }
    return true;
  });
  assert.equal(await page.locator("#workers").textContent(), "2");
  assert.deepEqual(page.faults, []);
});

test("the ratio of classes and tasks", async () => {
  const page = await openPage(site, {tab: "ratio"});
  const {total} = await site.get("tasks");

  await page.locator("#panel meter").first().waitFor();
  const items = await page.getByRole("region", {name: "Total ratio"}).locator("li").evaluateAll((all) =>
    Object.fromEntries(all.map((one) =>
      [one.querySelector(":scope > bdi").textContent, one.querySelector(".share").textContent])));
  assertShown(items.Visitor, total.Visitor.ratio * 100, "Visitor");
  for (const [task, {ratio}] of Object.entries(total.Visitor.tasks))
    assertShown(items[task], ratio * 100, task);
  assert.deepEqual(page.faults, []);
});

test("exceptions with their traceback, and failures with their times", async () => {
  await site.stop();
  const page = await openPage(site, {tab: "exceptions"});
  const [exception] = (await site.get("exceptions")).exceptions;
  const {errors} = await site.get("stats/requests");

  await page.locator("#panel summary").click();
  assert.match(await page.locator("#panel summary").textContent(),
               new RegExp(`^${exception.count.toLocaleString("en")}\u00d7 <b>this</b> task is broken`));
  assert.equal(await page.locator("#panel pre").textContent(), exception.traceback);
  await page.locator("#tab-failures").click();
  const shown = await cells(page, "Failures");
  assert.deepEqual(shown.map((row) => [value(row[0]), ...row.slice(1, 4)]),
                   errors.map((one) => [one.occurrences, one.method, one.name, one.error]));
  for (const text of shown[0].slice(4))
    assert.ok(Math.abs(new Date(text) - Date.now()) < 3600 * 1000, text);
  assert.equal(await page.locator("#tab-failures .badge").textContent(), String(errors.length));
  assert.deepEqual(page.faults, []);
});

const NUMBERS = [
  "num_requests", "num_failures", "p50", "p90", "p95", "p99", "p99.9", "avg_response_time", "min", "max",
  "avg_content_length", "current_rps", "current_fail_per_sec",
];

test("statistics are those of the API, in every cell", async () => {
  const page = await openPage(site);
  const {stats, fail_ratio: ratio} = await site.get("stats/requests");
  const rows = [...await cells(page, "Statistics"), ...await cells(page, "Statistics", "tfoot")];

  assert.deepEqual(rows.map((row) => row.slice(0, 2)), stats.map(({method, name}) => [method, name]));
  for (const [at, row] of rows.entries())
    for (const [i, key] of NUMBERS.entries())
      assertShown(row[2 + i], stats[at][key] ?? stats[at].exact_times[key], `${stats[at].name} ${key}`);
  assertShown(await page.locator("#failures").textContent(), ratio * 100, "failures");
  assert.equal(await page.locator("#users").textContent(), "0");
  assert.deepEqual(page.faults, []);
});

test("statistics are sorted, filtered, and show the columns that are wanted", async () => {
  const page = await openPage(site);
  const {stats} = await site.get("stats/requests");
  const names = stats.slice(0, -1).map(({name}) => name);
  const counts = stats.slice(0, -1).map((row) => row.num_requests).sort((a, b) => b - a);
  const head = page.getByRole("button", {name: "# Requests"});

  await head.click();
  assert.deepEqual((await column(page, "Statistics", 2)).map(value), counts);
  assert.equal(await page.locator("th[aria-sort=descending]").textContent(), "# Requests");
  await head.click();
  assert.deepEqual((await column(page, "Statistics", 2)).map(value), counts.reverse());
  await head.click();
  assert.deepEqual(await column(page, "Statistics", 1), names);
  await page.getByRole("button", {name: "Name", exact: true}).click();
  assert.deepEqual(await column(page, "Statistics", 1), [...names].sort());

  await page.getByLabel("Only names with").fill("SLOW");
  assert.deepEqual(await column(page, "Statistics", 1), ["/slow"]);
  assert.deepEqual((await cells(page, "Statistics", "tfoot"))[0][1], "Aggregated");
  await page.getByLabel("Only names with").fill("nowhere");
  await page.getByText("No name has this.").waitFor();

  await page.getByText("Columns").click();
  await page.getByLabel("Min (ms)").uncheck();
  assert.equal(await page.locator("thead th").count(), NUMBERS.length + 1);
  await page.reload();
  await page.locator("tfoot").waitFor();
  assert.equal(await page.locator("thead th", {hasText: "Min (ms)"}).count(), 0);
  assert.deepEqual(page.faults, []);
});

test("the latency of all and of one name, from the histogram", async () => {
  const page = await openPage(site, {tab: "latency"});
  const at = ({points}, share) => points.find(([upTo]) => upTo >= share - 1e-12)[1];

  for (const [label, query] of [["All", ""], ["GET /slow", "?method=GET&name=/slow"]]) {
    const {service_time: curve} = await site.get(`stats/distribution${query}`);

    await page.locator("#panel select").selectOption({label});
    await eventually(`the count of ${label}`, async () =>
      (await page.locator("#panel").innerText()).includes(`${curve.count.toLocaleString("en")} requests`));
    const shown = Object.fromEntries(await page.getByRole("region", {name: "Percentiles"})
      .locator("tbody tr").evaluateAll((rows) =>
        rows.map((row) => [...row.cells].map((cell) => cell.textContent))));
    for (const share of [0.5, 0.9, 0.99, 0.999])
      assertShown(shown[`${share * 100} %`], at(curve, share), `${label} ${share}`);
    assertShown(shown.Longest, at(curve, 1), `${label}, the longest`);
  }
  await page.getByLabel("Logarithmic times").uncheck();
  await page.locator("#panel .u-wrap canvas").waitFor();
  assert.deepEqual(page.faults, []);
});

async function download(page, name, nth = 0) {
  const [file] = await Promise.all([page.waitForEvent("download"),
                                    page.getByRole("link", {name, exact: true}).nth(nth).click()]);

  return [file.suggestedFilename(), readFileSync(await file.path(), "utf8")];
}

test("all files can be had", async () => {
  const page = await openPage(site, {tab: "reports"});

  for (const [link, path, name] of [["Requests", "stats/requests/csv", /_requests\.csv$/],
                                    ["Failures", "stats/failures/csv", /_failures\.csv$/],
                                    ["Exceptions", "exceptions/csv", /_exceptions\.csv$/],
                                    ["Statistics", "stats/requests", /^requests\.json$/]]) {
    const [suggested, text] = await download(page, link);

    assert.match(suggested, name);
    assert.equal(text, await site.text(path), link);
  }
  assert.ok(JSON.parse((await download(page, "The measured window"))[1]).window.has_begun);
  const [name, report] = await download(page, "Report", 1);
  assert.match(name, /\.html$/);
  assert.match(report, /<\/html>/);
  const [tab] = await Promise.all([page.context().waitForEvent("page"),
                                   page.getByRole("link", {name: "Report"}).first().click()]);
  await tab.waitForLoadState();
  assert.match(tab.url(), /stats\/report\?theme=light$/);
  await tab.getByText("Test report").waitFor();
  assert.equal(await tab.getByRole("link", {name: "Download the report"}).getAttribute("href"),
               "?download=1&theme=light");
  assert.equal(await page.getByRole("link", {name: "Statistics over time"}).count(), 0);
  assert.deepEqual(page.faults, []);
});

test("the report, from the disk: the numbers of the API, sorted, under the pointer, on paper", async () => {
  const path = join(folder(), "report.html");
  writeFileSync(path, await site.text("stats/report?download=1"));
  const page = await openFile(path, {heading: "Request statistics", theme: "dark"});
  const {stats, errors} = await site.get("stats/requests"), label = "Request statistics of every name";
  const rows = [...await cells(page, label), ...await cells(page, label, "tfoot")];

  assert.deepEqual(rows.map((row) => [row[0], row[1], value(row[2]), value(row[3])]),
                   stats.map((one) => [one.method, one.name, one.num_requests, one.num_failures]));
  const {service_time: curve} = await site.get("stats/distribution");
  const times = (await cells(page, "Response times of every name", "tfoot"))[0];
  for (const [at, share] of [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999].entries())
    if (![0.6, 0.7, 0.8].includes(share))
      assertShown(times[2 + at], curve.points.find(([upTo]) => upTo >= share - 1e-12)[1], `${share}`);
  assert.deepEqual((await cells(page, "Failures")).map((row) => row[3]), errors.map(({error}) => error));
  await page.getByRole("region", {name: label}).getByRole("button", {name: "# Requests"}).click();
  const counts = (await cells(page, label)).map((row) => value(row[2]));
  assert.deepEqual(counts, [...counts].sort((a, b) => b - a));

  const plot = page.locator("figure .u-over").first();
  await plot.hover();
  await page.locator("figure .u-legend").first().getByText(/\d\d:\d\d:\d\d/).waitFor();
  // Paper is light, and the screen is afterwards as it was.
  await page.evaluate(() => addEventListener("beforeprint", () => {
    window.onPaper = document.documentElement.dataset.theme;
  }));
  const width = (await plot.boundingBox()).width;
  assert.ok((await page.pdf({format: "A4"})).length > 20000);
  assert.equal(await page.evaluate(() => window.onPaper), "light");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined);
  await eventually("the old width", async () => (await plot.boundingBox()).width === width);
  assert.deepEqual(page.faults, []);
});

test("statistics over time, where they are written", async () => {
  const prefix = join(folder(), "out");
  const other = await Site.start(["-H", target, "--csv", prefix, "--csv-full-history"]);

  await other.swarm({user_count: 2, spawn_rate: 10});
  await other.requests(20);
  await other.stop();
  const page = await openPage(other, {tab: "reports"});
  assert.match((await download(page, "Statistics over time"))[1], /^Timestamp,User Count/);
  assert.deepEqual(page.faults, []);
});

test("logs of the master and of its workers", async () => {
  const page = await openPage(site, {tab: "logs"});
  const {master, workers} = await eventually("logs of both workers", async () => {
    const logs = await site.get("logs");
    return Object.keys(logs.workers).length === 2 && logs;
  });

  await page.locator("details.worker-log").nth(1).waitFor();
  const shown = await page.locator(".log").first().locator("span").allTextContents();
  assert.deepEqual(shown.slice(0, 3).map((line) => line.trimEnd()), master.slice(0, 3));
  assert.deepEqual(await page.locator("details.worker-log bdi").allTextContents(), Object.keys(workers));
  // A task that raises is an error in the log of its worker.
  await page.locator("details.worker-log:has(.error) summary").first().click();
  await page.locator("details.worker-log .error").first().waitFor();
  await page.getByLabel("Only lines with").fill("reported as ready");
  assert.deepEqual((await page.locator(".log").first().locator("span").allTextContents())
    .map((line) => line.trimEnd()), master.filter((line) => line.includes("reported as ready")));
  assert.deepEqual(page.faults, []);
});
