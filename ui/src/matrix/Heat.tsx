// SPDX-License-Identifier: MIT
//
// Heat - the plan as a grid of replicas by users, once for each number of workers and each figure.
import {useState} from "preact/hooks";

import {valueText} from "./figures";
import {Mark} from "./Mark";
import {Grid, cellValue, cellVerdict, plural, scenarioText} from "./report";
import type {Cell} from "./report";

interface Metric {
  name: string;
  title: string;
  unit: string;
  kind: string; // Of its colours.
}

const METRICS: Metric[] = [
  {name: "RPS", title: "Throughput", unit: "requests/s", kind: "good"},
  {name: "P95_ms", title: "95th percentile", unit: "ms", kind: "slow"},
  {name: "Failures_Pct", title: "Failures", unit: "%", kind: "failing"},
];
const LOG_FROM = 40; // Times the smallest is the largest value: a small difference is one, too.
const CELLS_AT_ONCE = 400; // Of all maps; beyond, one is shown and chosen.

interface Scale {
  low: number;
  high: number;
}

/** Common to all maps of a figure. Undefined: there is no value yet. */
function scaleOf(cells: Cell[], {name}: Metric): Scale | undefined {
  const values = cells.map((cell) => cellValue(cell, name)).filter((value) => value !== null);

  return values.length ? {low: Math.min(...values), high: Math.max(...values)} : undefined;
}

function share(value: number | null, scale: Scale | undefined): number {
  if (value === null || !scale)
    return 0;
  const {low, high} = scale;
  if (low > 0 && high / low > LOG_FROM)
    return Math.log(value / low) / Math.log(high / low);
  return high > low ? (value - low) / (high - low) : high > 0 ? 0.5 : 0;
}

function HeatCell({cell, metric, scale, isNow, onOpen}: {
  cell: Cell;
  metric: Metric;
  scale: Scale | undefined;
  isNow: boolean;
  onOpen: (cell: Cell) => void;
}) {
  const value = cellValue(cell, metric.name), verdict = cellVerdict(cell);
  const status = cell.rows.at(-1)?.words.Status;
  const text = value !== null ? valueText(value, metric.unit) : status ? status.replaceAll("_", " ") : "";
  const about = `${scenarioText(cell)}: ${metric.title} ${value !== null ? `${text} ${metric.unit}` : text || "not measured yet"}`;

  return <td class={`heat ${isNow ? "now" : ""}`}>
    {cell.rows.length
      ? <button aria-label={`${about}${verdict && verdict !== "valid" ? `, ${verdict}` : ""}`} title={about}
                class={`${metric.kind} ${value === null ? "none" : ""}`}
                style={{"--share": share(value, scale).toFixed(3)}} onClick={() => onOpen(cell)}>
          {text}{verdict !== "valid" && <Mark verdict={verdict} isShort/>}
          {cell.rows.length > 1 && <small>{cell.rows.length} rows</small>}</button>
      : <span class="none">{isNow ? "now" : "\u00b7"}</span>}
  </td>;
}

function Legend({metric, scale}: {metric: Metric; scale: Scale}) {
  return <p class="legend quiet">{valueText(scale.low, metric.unit)}
    <span class={`ramp ${metric.kind}`} aria-hidden="true"></span>{valueText(scale.high, metric.unit)} {metric.unit}</p>;
}

function HeatMap({grid, workers, metric, scale, now, onOpen}: {
  grid: Grid;
  workers: number;
  metric: Metric;
  scale: Scale | undefined;
  now: Cell | undefined;
  onOpen: (cell: Cell) => void;
}) {
  const title = `${metric.title} (${metric.unit}), ${plural(workers, "worker")}`;
  const isNow = (replicas: number, users: number) =>
    now?.replicas === replicas && now.workers === workers && now.users === users;

  return <figure class="heatmap">
    <figcaption>{title}</figcaption>
    <div class="scroll" tabIndex={0} role="region" aria-label={title}><table>
      <thead><tr><th scope="col" class="n corner">Replicas {"\u2193"} Users {"\u2192"}</th>
        {grid.users.map((users) => <th key={users} scope="col">{users.toLocaleString("en")}</th>)}</tr></thead>
      <tbody>{grid.replicas.map((replicas) => <tr key={replicas}>
        <th scope="row" class="n">{replicas}</th>
        {grid.users.map((users) => <HeatCell key={users} cell={grid.at(replicas, workers, users)} metric={metric}
          scale={scale} isNow={isNow(replicas, users)} onOpen={onOpen}/>)}</tr>)}</tbody></table></div>
    {scale && <Legend metric={metric} scale={scale}/>}
  </figure>;
}

export function Heat({grid, now, onOpen}: {grid: Grid; now?: Cell | undefined; onOpen: (cell: Cell) => void}) {
  const [name, setName] = useState(METRICS[0]!.name);
  const [chosen, setChosen] = useState<number>();
  const isLarge = grid.replicas.length * grid.users.length * grid.workers.length * METRICS.length > CELLS_AT_ONCE;
  const workers = chosen !== undefined && grid.workers.includes(chosen) ? chosen : now?.workers ?? grid.workers[0];
  const metrics = METRICS.filter((metric) => !isLarge || metric.name === name);

  return <section class="panel" aria-labelledby="grid">
    <h2 id="grid">Grid</h2>
    {isLarge && <div class="tools">
      <div class="segments" role="group" aria-label="Figure">{METRICS.map((metric) =>
        <button key={metric.name} aria-pressed={metric.name === name} onClick={() => setName(metric.name)}>
          {metric.title}</button>)}</div>
      <label class="inline">Workers <select value={workers} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
        {grid.workers.map((count) => <option key={count}>{count}</option>)}</select></label>
    </div>}
    {grid.workers.filter((count) => !isLarge || count === workers).map((count) =>
      <div key={count} class="heatmaps">{metrics.map((metric) => <HeatMap key={metric.name} grid={grid} workers={count}
        metric={metric} scale={scaleOf(grid.all, metric)} now={now} onOpen={onOpen}/>)}</div>)}
    {grid.all.some((cell) => cell.rows.length > 1) && <p class="quiet">Where a combination has several rows, the cell
      is the mean of those that are ok.</p>}
  </section>;
}
