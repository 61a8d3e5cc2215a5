// SPDX-License-Identifier: MIT
//
// matrix_world - reports that no matrix of a test would make: many rows, none, hostile ones. They
// are put into the page that a real driver has written.

function figure(value, unit, low, high) {
  return low === undefined ? {value, unit} : {value, unit, low, high};
}

/** A replica carries 100 requests/s; what is beyond fails in part and takes long. */
function row(scenario, replicas, workers, users, repeat) {
  const load = users / (100 * replicas), rps = Math.min(users, 100 * replicas) * (1 + repeat / 100);
  const p95 = 10 + 30 * load ** 3;
  const at = Array.from({length: 30}, (_, i) => i + 0.5);

  return {
    scenario,
    words: {Status: "ok", Timestamp: "2026-01-01T00:00:00Z", Verdict: "valid", Generator: "ok", Model: "closed"},
    figures: {
      Replicas: figure(replicas, "replicas"), Workers: figure(workers, "workers"), Users: figure(users, "users"),
      RPS: figure(rps, "requests/s"), Median_ms: figure(p95 / 2, "ms"), P95_ms: figure(p95, "ms", p95 * 0.9, p95 * 1.2),
      P99_ms: figure(p95 * 2, "ms"), Failures_Pct: figure(load > 1 ? 100 * (1 - 1 / load) : 0, "%"),
      Total_Requests: figure(Math.round(rps * 33), "requests"), Repeat: figure(repeat, "pass"),
      Steady_RPS: figure(rps, "requests/s", rps * 0.95, rps * 1.05),
    },
    limits_not_met: null,
    series: {source: "master", interval: figure(1, "s"), at: {unit: "s", values: at},
             requests: {unit: "requests/s", values: at.map((t) => rps + Math.sin(t))},
             failures: {unit: "requests/s", values: at.map(() => 0)},
             mean: {unit: "ms", values: at.map((t) => p95 / 2 + Math.sin(t))}},
    percentile_curve: {source: "histogram", percentile: {unit: "%", values: [0, 50, 90, 95, 99, 100]},
                       time: {unit: "ms", values: [1, p95 / 2, p95 * 0.8, p95, p95 * 2, p95 * 3]}},
  };
}

/** `base` is a report of a driver, whose glossary and environment it keeps. */
export function generate(base, {replicas, workers, users, repeats = 1}) {
  const rows = [], answer = (question, text, more) => ({question, is_known: true, text, figures: {}, ...more});

  for (let repeat = 1; repeat <= repeats; repeat++)
    for (const r of replicas)
      for (const w of workers)
        for (const u of users)
          rows.push(row(rows.length + 1, r, w, u, repeat));
  return {
    ...base, rows, rows_recorded: rows.length, rows_measured: rows.length,
    answers: [answer("best", `${replicas.at(-1)} replicas carry the most.`), answer("trust", "All rows are valid.")],
    plan: {...base.plan, replicas: {unit: "replicas", values: replicas}, workers: {unit: "workers", values: workers},
           users: {unit: "users", values: users}, scenarios: figure(rows.length, "scenarios")},
  };
}

const BEGIN = '<script id="report" type="application/json">';

/** The page of the driver with another report in it. */
export function pageWith(page, report) {
  const begin = page.indexOf(BEGIN) + BEGIN.length, end = page.indexOf("</script>", begin);

  return page.slice(0, begin) + JSON.stringify(report).replaceAll("<", "\\u003c") + page.slice(end);
}

/** The report that is in a page. */
export function reportIn(page) {
  const begin = page.indexOf(BEGIN) + BEGIN.length;

  return JSON.parse(page.slice(begin, page.indexOf("</script>", begin)));
}
