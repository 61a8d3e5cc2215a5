// SPDX-License-Identifier: MIT
//
// The page's live part: asks /stats/requests every two seconds and writes what it says as text.
"use strict";

const POLL_MS = 2000;
const at = (id) => document.getElementById(id);
const busy = (state) => ["spawning", "running", "stopping", "cleanup"].includes(state);
// The load shape of every test of this program; empty: none. While it rules nothing can be changed.
const shape = at("swarm").dataset.shape;
let isStopping = false;

function number(value, digits = 0) {
  if (value === null || value === undefined) return "\u2013";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

// Whole from 100 on: below, a tenth of a millisecond says something.
const milliseconds = (value) => number(value, value !== null && value < 100 && value % 1 ? 1 : 0);

function row(cells) {
  const tr = document.createElement("tr");
  for (const [text, kind] of cells) {
    const td = document.createElement("td");
    td.textContent = text;
    if (kind) td.className = kind;
    tr.append(td);
  }
  return tr;
}

function statisticsRow(entry) {
  return row([
    [entry.method], [entry.name],
    [number(entry.num_requests), "n"],
    [number(entry.num_failures), entry.num_failures ? "n bad" : "n"],
    [milliseconds(entry.median_response_time), "n"],
    [milliseconds(entry.ninetieth_response_time), "n"],
    [milliseconds(entry["response_time_percentile_0.95"]), "n"],
    [milliseconds(entry["response_time_percentile_0.99"]), "n"],
    [milliseconds(entry.avg_response_time), "n"],
    [milliseconds(entry.min_response_time), "n"],
    [milliseconds(entry.max_response_time), "n"],
    [number(entry.current_rps, 1), "n"],
    [number(entry.current_fail_per_sec, 1), "n"],
  ]);
}

function say(text, isBad) {
  at("message").textContent = text;
  at("message").className = isBad ? "bad" : "";
}

function show(reply) {
  const isBusy = busy(reply.state);
  const rows = reply.stats.slice(0, -1), total = reply.stats.slice(-1);

  at("state").textContent = reply.state;
  at("users").textContent = number(reply.user_count);
  at("rps").textContent = number(reply.current_rps, 1);
  at("failures").textContent = number(reply.fail_ratio * 100, 1) + " %";
  at("workers-box").hidden = reply.worker_count === undefined;
  at("workers").textContent = number(reply.worker_count) +
    (reply.workers_on_one_port ? ` (${number(reply.workers_on_one_port)} without the second port)` : "");
  at("rows").replaceChildren(...rows.map(statisticsRow));
  at("total").replaceChildren(...total.map(statisticsRow));
  at("errors").replaceChildren(...reply.errors.map((error) => row(
    [[number(error.occurrences), "n"], [error.method], [error.name], [error.error]])));
  at("errors-box").hidden = reply.errors.length === 0;
  at("stop").disabled = !isBusy || isStopping;
  at("start").disabled = reply.state === "stopping" || (isBusy && shape !== "");
  at("start").textContent = isBusy && !shape ? "Change" : "Start";
  at("form-title").textContent =
    !isBusy ? "Start a test" : shape ? "The test follows its load shape" : "Change the test";
  document.title = (isBusy ? number(reply.current_rps, 1) + " req/s \u2013 " : "") + "Cicada";
}

let isLost = false;

async function refresh() {
  try {
    const reply = await fetch("stats/requests", { cache: "no-store" });
    show(await reply.json());
    if (isLost) say("");
    isLost = false;
  } catch (error) {
    isLost = true;
    at("state").textContent = "no answer";
    say("The load generator does not answer; trying again.", true);
  }
}

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL_MS);
}

// Sends a request and shows its message, or why there is none.
async function ask(path, options, done) {
  try {
    const reply = await fetch(path, options);
    await done(reply);
  } catch (error) {
    say("The load generator does not answer.", true);
  }
  refresh();
}

at("swarm").addEventListener("submit", (event) => {
  event.preventDefault();
  ask("swarm", { method: "POST", body: new URLSearchParams(new FormData(event.target)) },
    async (reply) => {
      const said = await reply.json();
      say(said.message, !said.success);
    });
});

at("stop").addEventListener("click", async () => {
  isStopping = true;
  at("stop").disabled = true;
  say("Stopping: users finish what they are doing.");
  await ask("stop", {}, async (reply) => {
    const said = await reply.json();
    say(said.message, !said.success);
  });
  isStopping = false;
});

at("reset").addEventListener("click", () =>
  ask("stats/reset", {}, () => say("Statistics are reset.")));

if (shape) {
  at("shape").hidden = false;
  at("shape").textContent = `The load shape ${shape} says how many users there are, and when the ` +
    "test ends. Stop ends it before.";
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
poll();
