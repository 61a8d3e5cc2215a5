// SPDX-License-Identifier: MIT
//
// Live - the matrix while the driver walks through it: what it does now, and the report so far.
import {useEffect, useMemo, useState} from "preact/hooks";

import {getJson} from "../api";
import {Brand} from "../components/Brand";
import {clock, duration, milliseconds, number, percent} from "../format";
import {usePoll} from "../poll";
import {ThemeSwitch} from "../theme";
import {Matrix} from "./Matrix";
import {isSearch, scenarioText} from "./report";
import type {Report} from "./report";

interface Doing {
  state: "running" | "done" | "budget" | "interrupted" | "failed";
  reports: number;
  scenarios: number;
  scenario: {number: number; replicas: number; workers: number; users: number; repeat: number; duration_s: number} | null;
  step: {number: number; of: number; for_s: number; name: string; detail: string} | null;
  look: {users: number; window_s: number | null; rps: number | null; median_ms: number | null;
         p90_ms: number | null; p95_ms: number | null} | null;
  left_s: number | null;
  done_share: number | null;
  lines: {at: number; text: string}[];
}

const POLL_MS = 1000;
const AGAIN_MS = 2000;

const ENDS = {
  done: "The driver has ended: every scenario has its row.",
  budget: "The driver has ended: the next scenario does not fit into its budget. The same command goes on there.",
  interrupted: "The driver was interrupted. The same command goes on.",
  failed: "The driver has ended: it could not go on. Its output says why.",
};

/** The newest one; `reports` counts them. */
function useReport(reports: number | undefined): Report | undefined {
  const [report, set] = useState<Report>();
  const [tries, setTries] = useState(0);

  useEffect(() => {
    let isOver = false, timer = 0;

    async function ask() {
      try {
        const value = await getJson<Report>("report.json");
        if (!isOver)
          set(value);
      } catch {
        if (!isOver)
          timer = window.setTimeout(() => setTries(tries + 1), AGAIN_MS);
      }
    }

    if (reports)
      void ask();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [reports, tries]);
  return report;
}

function Notice({doing, error}: {doing: Doing | undefined; error: string | undefined}) {
  const end = doing && doing.state !== "running" ? ENDS[doing.state] : undefined;
  const isBad = doing?.state === "failed" || doing?.state === "interrupted";

  return <div class="notices" role="status">
    {end && <p id="ended" class={`notice ${isBad ? "bad" : ""}`}>{end}</p>}
    {error && !end && <p id="lost" class="notice bad">The driver does not answer.{doing &&
      " What is shown is what it said last."} Trying again.</p>}
  </div>;
}

function Now({doing, isSearch}: {doing: Doing; isSearch: boolean}) {
  const {scenario, step, look, left_s, done_share} = doing;

  return <section class="panel doing" aria-label="Now">
    {scenario && <p class="lead">Scenario {scenario.number} of {doing.scenarios}: {scenarioText(scenario)}{
      scenario.repeat > 1 && `, ${isSearch ? "probe" : "repeat"} ${scenario.repeat}`}</p>}
    {!step && <p>Getting ready</p>}
    {step && <p id="step">{step.number > 0 && <span class="quiet">Step {step.number} of {step.of}: </span>}{step.name}
      {step.detail && <>: <bdi>{step.detail}</bdi></>} <span class="quiet">for {duration(step.for_s)}</span></p>}
    {done_share !== null && <p class="rest"><progress value={done_share} aria-label="Done"></progress>
      {percent(done_share, 0)}{left_s !== null && `, about ${duration(left_s)} left`}</p>}
    {look && <dl class="facts" aria-label="The test">
      <div><dt>Window</dt><dd>{number(look.window_s)} of {number(scenario?.duration_s)} s</dd></div>
      <div><dt>Users</dt><dd>{number(look.users)}</dd></div>
      <div><dt>Requests/s</dt><dd id="rps">{number(look.rps, 1)}</dd></div>
      <div><dt>Median (ms)</dt><dd>{milliseconds(look.median_ms)}</dd></div>
      {look.p90_ms === null && look.p95_ms !== null
        ? <div><dt>P95 (ms)</dt><dd>{milliseconds(look.p95_ms)}</dd></div>
        : <div><dt>P90 (ms)</dt><dd>{milliseconds(look.p90_ms)}</dd></div>}
    </dl>}
  </section>;
}

function Said({lines}: {lines: Doing["lines"]}) {
  return <section class="panel" aria-labelledby="said">
    <h2 id="said">What the driver said, the last first</h2>
    <pre class="log" tabIndex={0} aria-labelledby="said">{[...lines].reverse().map(({at, text}, i) =>
      <span key={i}>{clock(at, true)} {text}{"\n"}</span>)}</pre>
  </section>;
}

export function Live() {
  // What has ended does not change any more, and soon nobody answers.
  const [ended, setEnded] = useState<Doing>();
  const {value, error} = usePoll<Doing>(ended ? undefined : "live.json", POLL_MS);
  const doing = ended ?? value;
  const report = useReport(doing?.reports);
  const isRunning = doing?.state === "running" && !error;
  const at = doing?.scenario, place = at && `${at.replicas} ${at.workers} ${at.users}`;
  const now = useMemo(() => isRunning && at ? {...at, rows: []} : undefined, [isRunning, place]);

  useEffect(() => {
    if (value && value.state !== "running")
      setEnded(value);
  }, [value]);
  useEffect(() => {
    document.title = (isRunning && at ? `${at.number}/${doing.scenarios} \u2013 ` : "") + "Capacity matrix - Cicada";
  });
  return <>
    <header class="head"><div class="brand"><Brand/><p>Capacity matrix</p><ThemeSwitch/></div>
      <dl aria-label="The driver"><div><dt>State</dt><dd><span id="state" class={`state ${isRunning ? "running" : ""}`}>
        {doing ? isRunning || doing.state !== "running" ? doing.state : "lost" : "\u2026"}</span></dd></div></dl></header>
    <main>
      <Notice doing={doing} error={error}/>
      {doing && isRunning && <Now doing={doing} isSearch={isSearch(report)}/>}
      {report ? <Matrix report={report} now={now}/>
        : doing && <p class="panel">There is no report yet.</p>}
      {doing && doing.lines.length > 0 && <Said lines={doing.lines}/>}
    </main>
  </>;
}
