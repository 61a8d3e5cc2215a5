// SPDX-License-Identifier: MIT
//
// Saved - a test as one file: what Locust's report has, the rarest times, and how the load generator
// did. src/web/report.c writes what is shown.
import type {ComponentChildren} from "preact";
import {useMemo, useState} from "preact/hooks";

import {percentilesOf} from "../api";
import type {Distribution, Exception, Failure, Generator, History, Tasks} from "../api";
import type {Range} from "../charts/Chart";
import {Brand} from "../components/Brand";
import {Table} from "../components/Table";
import type {Column} from "../components/Table";
import {duration, milliseconds, moment, number, percent} from "../format";
import {ThemeSwitch} from "../theme";
import type {Theme} from "../theme";
import {LATENCY_NOW, Pictures, percentileLine} from "./Charts";
import type {Picture} from "./Charts";
import {Exceptions} from "./Exceptions";
import {Failures} from "./Failures";
import {Spread, basisText} from "./Latency";
import {GeneratorNotices, OnePort} from "./Notices";
import {Shares} from "./Ratio";

interface Row {
  method: string;
  name: string;
  num_requests: number;
  num_failures: number;
  avg_response_time: number | null;
  min_response_time: number | null;
  max_response_time: number | null;
  avg_content_length: number;
  total_rps: number;
  total_fail_per_sec: number;
  percentiles: (number | null)[]; // Of the report's shares.
}

export interface Report {
  version: string;
  scenario: string | null;
  host: string | null;
  profile: string | null;
  model: string | null;
  state: string;
  written: number;
  start_time: number;
  end_time: number;
  user_count: number;
  spawn_rate: number | null;
  run_time: number;
  is_shaped: boolean;
  worker_count: number;
  workers_on_one_port: number;
  theme: Theme | null;
  has_download_link: boolean;
  shares: number[];
  stats: Row[];
  errors: Failure[];
  exceptions: Exception[];
  history: History;
  distribution: Distribution;
  tasks: Tasks;
  generator: Generator;
}

const STEP = 500; // Rows that are shown at once.

function whole(key: "num_requests" | "num_failures" | "avg_content_length", label: string): Column<Row> {
  return {key, label, value: (row) => row[key], show: (row) => number(row[key])};
}

function time(key: "avg_response_time" | "min_response_time" | "max_response_time", label: string): Column<Row> {
  return {key, label, value: (row) => row[key], show: (row) => milliseconds(row[key])};
}

function rate(key: "total_rps" | "total_fail_per_sec", label: string): Column<Row> {
  return {key, label, value: (row) => row[key], show: (row) => number(row[key], 2)};
}

const NAMED: Column<Row>[] = [
  {key: "method", label: "Type", isText: true, value: (row) => row.method},
  {key: "name", label: "Name", isText: true, value: (row) => row.name},
];

const COUNTED: Column<Row>[] = [
  ...NAMED, whole("num_requests", "# Requests"),
  {...whole("num_failures", "# Fails"), mark: (row) => row.num_failures ? "bad" : ""},
  time("avg_response_time", "Average (ms)"), time("min_response_time", "Min (ms)"),
  time("max_response_time", "Max (ms)"), whole("avg_content_length", "Average size (bytes)"),
  rate("total_rps", "RPS"), rate("total_fail_per_sec", "Failures/s"),
];

function timed(shares: number[]): Column<Row>[] {
  return [...NAMED, ...shares.map((share, i): Column<Row> => ({
    key: String(share), label: `${+(share * 100).toPrecision(6)}%ile (ms)`,
    value: (row) => row.percentiles[i] ?? null, show: (row) => milliseconds(row.percentiles[i]),
  }))];
}

function pictureOf(history: History): Picture {
  return {
    times: history.time,
    rates: [{label: "Requests/s", color: "--line-ok", values: history.current_rps},
            {label: "Failures/s", color: "--line-bad", values: history.current_fail_per_sec}],
    latencies: percentilesOf(history).map(([key, values], i) => percentileLine(key, i, values)),
    users: [{label: "Users", color: "--line-1", values: history.user_count}],
  };
}

function Section({title, children}: {title: string; children: ComponentChildren}) {
  const id = title.toLowerCase().replaceAll(" ", "-");

  return <section class="panel" aria-labelledby={id}><h2 id={id}>{title}</h2>{children}</section>;
}

function Fact({name, children}: {name: string; children: ComponentChildren}) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function iso(unix: number): string {
  return new Date(unix * 1000).toISOString();
}

function askedText({is_shaped, user_count, spawn_rate, run_time}: Report): string {
  if (is_shaped)
    return "as the load shape wanted";
  return `${number(user_count)} users, ${spawn_rate} per second` + (run_time ? `, for ${duration(run_time)}` : "");
}

function Facts({report}: {report: Report}) {
  const {start_time: start, end_time: end} = report;

  return <section class="panel" aria-label="The test"><dl class="facts wide">
    {report.profile && <Fact name="Profile"><bdi>{report.profile}</bdi></Fact>}
    <Fact name="During"><time dateTime={iso(start)}>{moment(start)}</time> {"\u2013"}{" "}
      <time dateTime={iso(end)}>{moment(end, true)}</time> ({duration(end - start)})</Fact>
    <Fact name="Target host"><bdi>{report.host ?? "none"}</bdi></Fact>
    <Fact name="Script"><bdi>{report.scenario ?? "none"}</bdi></Fact>
    {report.user_count > 0 && <Fact name="Load">{askedText(report)}{report.model && `, ${report.model} model`}{
      report.worker_count > 0 && `, ${number(report.worker_count)} workers`}</Fact>}
    {report.state !== "stopped" && <Fact name="State">{report.state} when this was written
      at {moment(report.written)}</Fact>}
  </dl></section>;
}

function Figures({report: {shares, stats}}: {report: Report}) {
  const total = stats.at(-1)!, at = (share: number) => milliseconds(total.percentiles[shares.indexOf(share)]);

  return <section class="panel" aria-label="In short"><dl class="facts">
    <Fact name="Requests">{number(total.num_requests)}</Fact>
    <Fact name="Requests/s">{number(total.total_rps, 2)}</Fact>
    <Fact name="Failures"><span class={total.num_failures ? "bad" : ""}>
      {percent(total.num_requests ? total.num_failures / total.num_requests : 0, 2)}</span></Fact>
    {[0.5, 0.95, 0.99, 0.999].map((share) =>
      <Fact key={share} name={`${+(share * 100).toPrecision(6)}%ile (ms)`}>{at(share)}</Fact>)}
    <Fact name="Longest (ms)">{milliseconds(total.max_response_time)}</Fact>
  </dl></section>;
}

function Over({history}: {history: History}) {
  const shown = useMemo(() => pictureOf(history), [history]);
  const [zoom, setZoom] = useState<Range>();

  return <>
    <div class="tools"><span class="quiet">{zoom ? "Zoomed: a double click shows all" : "Drag to zoom"}</span></div>
    <Pictures shown={shown} range={zoom} onZoom={setZoom} latencyTitle={LATENCY_NOW}/>
  </>;
}

function Health({generator}: {generator: Generator}) {
  return <dl class="facts">
    <Fact name="Was it the limit?">{generator.limited === null ? "not known"
      : generator.limited ? <span class="bad">yes: {generator.reason}</span> : "no"}</Fact>
    <Fact name="Lag p99 (ms)">{milliseconds(generator.lag_p99_ms)}</Fact>
    <Fact name="Lag, longest (ms)">{milliseconds(generator.lag_max_ms)}</Fact>
    <Fact name="Busiest thread">{generator.cpu_percent_max === null ? "\u2013" : `${number(generator.cpu_percent_max)} % of a CPU`}</Fact>
    <Fact name="Connections opened">{number(generator.connections_opened)}</Fact>
    <Fact name="Connections failed">{number(generator.connections_failed)}</Fact>
    <Fact name="Arrivals dropped">{number(generator.dropped)}</Fact>
  </dl>;
}

export function Saved({report}: {report: Report}) {
  const {stats} = report, rows = stats.slice(0, -1), total = stats.at(-1)!;
  const columns = useMemo(() => timed(report.shares), [report]);
  const table = {rows, total, step: STEP, rowKey: (row: Row) => `${row.method}\0${row.name}`,
                 empty: "No request has ended."};

  return <>
    <header class="head"><div class="brand"><Brand/><p>Test report</p>
      {report.has_download_link && <a class="download" href={`?download=1&theme=${report.theme ?? "auto"}`}>Download the report</a>}
      <ThemeSwitch/></div></header>
    <main class="report">
      <div class="notices">
        <GeneratorNotices generator={report.generator}/>
        <OnePort count={report.workers_on_one_port}/>
      </div>
      <Facts report={report}/>
      <Figures report={report}/>
      <Section title="Request statistics"><Table label="Request statistics of every name" columns={COUNTED} {...table}/></Section>
      <Section title="Response time statistics"><Table label="Response times of every name" columns={columns} {...table}/></Section>
      <Section title="Failures statistics"><Failures errors={report.errors}/></Section>
      <Section title="Exceptions statistics"><Exceptions list={report.exceptions} isOpen/></Section>
      <Section title="Charts">{report.history.time.length
        ? <Over history={report.history}/> : <p class="empty">Nothing was recorded over time.</p>}</Section>
      <Section title="Latency">{report.distribution.service_time.count
        ? <><p class="quiet">{basisText(report.distribution)}</p><Spread value={report.distribution} isLog/></>
        : <p class="empty">No request has ended.</p>}</Section>
      <Section title="Final ratio"><Shares tasks={report.tasks}/></Section>
      <Section title="Load generator"><Health generator={report.generator}/></Section>
    </main>
    <footer>Cicada {report.version}</footer>
  </>;
}
