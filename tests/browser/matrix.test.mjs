// SPDX-License-Identifier: MIT
//
// matrix - report.html, from the disk: what it shows of a real matrix is what report.json says, and
// it can be read whatever a report has in it.
import assert from "node:assert/strict";
import {readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {before, test} from "node:test";

import {look} from "./looking.mjs";
import {generate, pageWith, reportIn} from "./matrix_world.mjs";
import {cells, eventually, folder, openFile, startDriver} from "./world.mjs";

const ROWS = "Rows of the matrix";
let results, html, real;

before(async () => {
  results = folder();
  const driver = await startDriver(results, ["--replicas", "1,2", "--workers", 1, "--users", "8,16", "--duration", 2,
                                             "--poll", 0.5, "--target-rps", 5], /\[1\//);
  await driver.ended;
  html = readFileSync(join(results, "report.html"), "utf8");
  real = JSON.parse(readFileSync(join(results, "report.json"), "utf8"));
  assert.equal(real.rows.length, 4, driver.text);
});

/** A page of that report, which no driver has measured. */
function openReport(report, options) {
  const path = join(folder(), "report.html");

  writeFileSync(path, pageWith(html, report));
  return openFile(path, options);
}

function generated(plan) {
  return generate(real, plan);
}

function number(text) {
  assert.match(text, /^[\d,]+(\.\d+)?/);
  return Number(/^[\d,.]+/.exec(text)[0].replaceAll(",", ""));
}

/** As many digits as are shown. */
function assertShown(text, wanted, what) {
  const shown = /^[\d,]+(\.\d+)?/.exec(text), digits = (shown?.[1] ?? ".").length - 1;

  assert.ok(Math.abs(number(text) - wanted) <= 0.5000001 * 10 ** -digits, `${what}: ${text}, not ${wanted}`);
}

test("a real matrix: the answer, the rows and the heat maps have the numbers of report.json", async () => {
  const page = await openFile(join(results, "report.html"));

  assert.deepEqual(reportIn(html), real);
  assert.equal(await page.locator(".answers .lead").textContent(), real.answers[0].text);
  assert.equal(await page.locator("[data-question=trust]").textContent(), real.answers.at(-1).text);

  const shown = await cells(page, ROWS);
  const names = ["Replicas", "Workers", "Users", "RPS", "Median_ms", "P95_ms", "P99_ms", "Failures_Pct", "Total_Requests"];
  assert.equal(shown.length, 4);
  for (const [i, row] of real.rows.entries()) {
    names.forEach((name, k) => assertShown(shown[i][k + 1], row.figures[name].value, `row ${i + 1}, ${name}`));
    assert.equal(shown[i][names.length + 1], row.words.Status);
    assert.match(shown[i][names.length + 2], new RegExp(row.words.Verdict));
  }
  for (const [title, name] of [["Throughput (requests/s), 1 worker", "RPS"], ["95th percentile (ms), 1 worker", "P95_ms"],
                               ["Failures (%), 1 worker", "Failures_Pct"]]) {
    const map = await cells(page, title);
    real.rows.forEach((row, i) =>
      assertShown(map[Math.floor(i / 2)][1 + i % 2], row.figures[name].value, `${title}, ${i + 1}`));
  }
  assert.deepEqual(page.faults, []);
});

test("a row opens with its reason, its window and its percentiles", async () => {
  const page = await openFile(join(results, "report.html")), row = real.rows[2];

  await page.getByRole("button", {name: "Details of row 3"}).press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.locator("canvas").nth(2).waitFor();
  assert.match(await dialog.getByRole("heading").textContent(), /^Row 3: 2 replicas, 1 worker, 8 users$/);
  assert.match(await dialog.innerText(), new RegExp(row.words.Reason.slice(0, 40).replace(/[()]/g, "\\$&")));
  const figures = await cells(page, "Figures of the row");
  assertShown(figures.find(([name]) => name === "RPS")[1], row.figures.RPS.value, "RPS");
  assertShown(figures.find(([name]) => name === "Total_Requests")[1], row.figures.Total_Requests.value, "Total_Requests");
  await page.keyboard.press("Escape");
  await dialog.waitFor({state: "detached"});
  assert.deepEqual(page.faults, []);
});

test("columns say what they are to pointer and keyboard, sort, and can be chosen", async () => {
  const page = await openReport(generated({replicas: [1, 2, 4], workers: [4], users: [50, 100, 400]}));
  const table = page.getByRole("region", {name: ROWS, exact: true}), head = table.getByRole("button", {name: "P95 (ms)"});
  const tip = page.getByRole("tooltip"), meaning = real.glossary.find(({name}) => name === "P95_ms").meaning;

  await head.hover();
  assert.equal(await tip.textContent(), `P95_ms (ms): ${meaning}`);
  await page.mouse.move(0, 0);
  await tip.waitFor({state: "detached"});
  await table.getByRole("button", {name: "Median (ms)"}).focus();
  await page.keyboard.press("Tab");
  assert.match(await tip.textContent(), /^P95_ms/);
  await page.keyboard.press("Escape");
  await tip.waitFor({state: "detached"});

  const p95 = async () => (await cells(page, ROWS)).map((row) => number(row[6]));
  await page.keyboard.press("Enter");
  assert.deepEqual(await p95(), [...(await p95())].sort((a, b) => b - a));
  assert.equal((await p95())[0], 1930);
  await page.keyboard.press("Enter");
  assert.deepEqual(await p95(), [...(await p95())].sort((a, b) => a - b));

  await page.getByText("Columns", {exact: true}).click();
  await page.getByLabel("Workers", {exact: true}).uncheck();
  await page.getByLabel("P95 Low (ms)", {exact: true}).check();
  assert.equal((await cells(page, ROWS, "thead"))[0].includes("Workers"), false);
  const low = (await cells(page, ROWS, "thead"))[0].indexOf("P95 Low (ms)");
  assert.equal(number((await cells(page, ROWS))[0][low]), 9.05); // of four replicas with 50 users
  assert.deepEqual(page.faults, []);
});

test("texts that would be code stay texts", async () => {
  const report = generated({replicas: [1], workers: [1], users: [10, 20]});
  const hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)><!--";

  report.plan.settings = report.environment[0].text = report.answers[0].text = hostile;
  report.answers[0].snippets = [{name: hostile, text: hostile}];
  report.rows[0].words = {Status: "lost_worker", Note: hostile, Timestamp: hostile};
  report.rows[1].words.Reason = report.rows[1].limits_not_met = hostile;
  const page = await openReport(report);

  assert.equal(await page.locator(".answers .lead").textContent(), hostile);
  assert.equal(await page.getByLabel("Settings").textContent(), hostile);
  await page.getByRole("button", {name: "Details of row 1"}).click();
  assert.equal(await page.locator("dialog .notice").textContent(), hostile);
  await page.keyboard.press("Escape");
  await page.getByRole("button", {name: "Details of row 2"}).click();
  assert.match(await page.locator("dialog .notice.bad").textContent(), /onerror/);
  assert.equal(await page.locator("img").count(), 0);
  assert.deepEqual(page.faults, []);
});

test("a script that got into the file is not run", async () => {
  const path = join(folder(), "report.html");

  writeFileSync(path, html.replace("</body>", "<script>document.title = 'run'</script></body>"));
  const page = await openFile(path);
  assert.notEqual(await page.title(), "run");
  assert.match(page.faults.join(), /policy: script-src/);
});

test("no rows yet: the plan is there, and nothing is said that is not known", async () => {
  const report = {...generated({replicas: [1, 2], workers: [4], users: [100, 200, 400]}), rows: [], rows_recorded: 0};
  const page = await openReport(report);

  assert.match(await page.locator(".answers").innerText(), /Nothing has been measured yet/);
  assert.match(await page.locator(".facts").innerText(), /0 of 6/);
  assert.deepEqual((await cells(page, "Throughput (requests/s), 4 workers")).map((row) => row.length), [4, 4]);
  assert.deepEqual(await cells(page, ROWS), [["No row yet."]]);
  await look(page, "matrix-none", {fullPage: true});
});

test("96 rows: a map for each figure and number of workers, a curve for each number of replicas", async () => {
  const report = generated({replicas: [1, 2, 3, 4, 6, 8, 12, 16], workers: [4, 8], users: [100, 200, 400, 800, 1600, 3200]});
  const page = await openReport(report);

  assert.equal((await cells(page, ROWS)).length, 96);
  assert.equal(await page.locator(".heatmap").count(), 6);
  const map = await cells(page, "Failures (%), 8 workers");
  assert.equal(map[0][6], "96.88"); // one replica, 3200 users: 1 - 1 / 32
  assert.equal(await page.locator(".plot").first().locator(".keys li").count(), 8);
  assert.equal(await page.locator(".plot").first().locator("a").count(), 48);
  await look(page, "matrix-96", {fullPage: true});
});

test("what was not measured is no number, and says why", async () => {
  const report = generated({replicas: [1, 2], workers: [4], users: [100, 200]});
  const {Replicas, Workers, Users} = report.rows[1].figures;

  report.rows[1] = {...report.rows[1], words: {Status: "target_not_ready", Note: "replica 1 ended", Timestamp: "2026-01-01T00:00:00Z"},
                    figures: {Replicas, Workers, Users}, series: null, percentile_curve: null};
  Object.assign(report.rows[2].words, {Verdict: "suspect", Reason: "no steady state"});
  Object.assign(report.rows[3].words, {Verdict: "invalid", Reason: "the law is broken"});
  const page = await openReport(report);

  const map = await cells(page, "Throughput (requests/s), 4 workers");
  assert.match(map[0][2], /^target not ready/);
  assert.match(map[1][1], /suspect/);
  assert.match(map[1][2], /invalid/);
  assert.match(await page.locator(".facts").innerText(), /\s+valid\s+1\s+\?\s+suspect\s+1\s+!\s+invalid\s+1\s+\u2715\s+not measured\s+1\s/);
  // Two points in each curve would be four.
  assert.equal(await page.locator(".plot").first().locator("a").count(), 3);
  await page.locator(".heat button", {hasText: "target not ready"}).first().click();
  assert.match(await page.getByRole("dialog").innerText(), /replica 1 ended/);
  await look(page, "matrix-details");
});

test("repeats: a cell is their mean, a bar goes from the lowest to the highest", async () => {
  const page = await openReport(generated({replicas: [1], workers: [4], users: [100, 50], repeats: 3}));

  assert.match((await cells(page, "Throughput (requests/s), 4 workers"))[0][2], /^102\.003 rows$/);
  await page.locator(".heat button").last().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", {name: "Row 1", exact: true}).click();
  assert.match(await dialog.getByRole("heading").textContent(), /^Row 1:/);
  assert.deepEqual(page.faults, []);
});

test("a search: its probes are the users, one row is enough", async () => {
  const report = generated({replicas: [1, 2], workers: [4], users: [10, 20, 40]});

  report.answers.splice(1, 0, {question: "slo", is_known: true, asked: "p95<200ms", text: "1 replica: 20 users.", figures: {}});
  report.plan.users.values = [10];
  report.rows = report.rows.filter((_, i) => i !== 4);
  const page = await openReport(report);

  assert.deepEqual((await cells(page, "Throughput (requests/s), 4 workers", "thead"))[0].slice(1), ["10", "20", "40"]);
  assert.equal(await page.locator("[data-question=slo]").textContent(), "1 replica: 20 users.");
  assert.match(await page.locator(".facts").innerText(), /of at most/);
  assert.deepEqual(page.faults, []);
});

test("10,000 rows: some at a time", async () => {
  const report = generated({replicas: Array.from({length: 50}, (_, i) => i + 1), workers: [1, 2, 4, 8],
                            users: Array.from({length: 50}, (_, i) => 100 * (i + 1))});
  for (const row of report.rows)
    row.series = row.percentile_curve = null;
  const page = await openReport(report);

  assert.equal((await cells(page, ROWS)).length, 200);
  await page.getByRole("button", {name: "More"}).click();
  assert.equal((await cells(page, ROWS)).length, 400);
  assert.equal(await page.locator(".plot").first().locator(".keys li").count(), 8);
  // The maps are too large for one look: one figure of one number of workers.
  assert.equal(await page.locator(".heatmap").count(), 1);
  await page.getByRole("button", {name: "Failures", exact: true}).click();
  await page.locator("#grid ~ .tools select").selectOption("8");
  assert.equal((await cells(page, "Failures (%), 8 workers"))[0][50], "98.00"); // 5000 users of 100
  assert.deepEqual(page.faults, []);
});

test("snippets can be copied, and the whole can be printed", async () => {
  const report = generated({replicas: [1, 2], workers: [4], users: [100, 200]});
  const text = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n";

  report.answers[0].snippets = [{name: "HorizontalPodAutoscaler", text}];
  const page = await openReport(report, {permissions: ["clipboard-read", "clipboard-write"]});

  await page.getByText("HorizontalPodAutoscaler", {exact: true}).click();
  await page.getByRole("button", {name: "Copy HorizontalPodAutoscaler"}).click();
  await page.getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
  await look(page, "matrix", {fullPage: true});

  await page.emulateMedia({media: "print", colorScheme: "dark"});
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "light");
  assert.equal(await page.locator(".chooser").isVisible(), false);
  await eventually("no bar cuts a table", () => page.locator(".scroll").evaluateAll((all) =>
    all.every((one) => getComputedStyle(one).overflow === "visible")));
  assert.deepEqual(page.faults, []);
});
