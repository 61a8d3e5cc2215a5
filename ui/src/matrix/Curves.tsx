// SPDX-License-Identifier: MIT
//
// Curves - what more users bring, and what they cost: a curve for each number of replicas.
import {useState} from "preact/hooks";

import {milliseconds} from "../format";
import {shortText, valueText} from "./figures";
import {Plot} from "./Plot";
import type {Curve} from "./Plot";
import {Grid, cellRange, cellValue, plural, scenarioText} from "./report";
import type {Cell} from "./report";

const CURVES_MAX = 8;
const POINTS_MAX = 200;

/** At most so many of them, evenly. */
function thin<T>(all: T[], max: number): T[] {
  return all.length <= max ? all
    : Array.from({length: max}, (_, i) => all[Math.round(i * (all.length - 1) / (max - 1))]!);
}

interface Axis {
  name: string;
  unit: string;
  interval: string; // The figure whose interval is shown for it.
}

const THROUGHPUT: Axis = {name: "RPS", unit: "requests/s", interval: "Steady_RPS"};
const LATENCY: Axis = {name: "P95_ms", unit: "ms", interval: "P95_ms"};

function curvesOf(grid: Grid, workers: number, replicas: number[], x: (cell: Cell) => number | null, y: Axis,
                  onOpen: (cell: Cell) => void): Curve[] {
  return replicas.map((count, i) => ({
    label: plural(count, "replica"),
    color: i,
    points: thin(grid.users.map((users) => grid.at(count, workers, users)).filter((cell) =>
      x(cell) !== null && cellValue(cell, y.name) !== null), POINTS_MAX).map((cell) => ({
      x: x(cell)!,
      y: cellValue(cell, y.name)!,
      range: cellRange(cell, y.name, y.interval),
      about: `${scenarioText(cell)}: ${valueText(cellValue(cell, "RPS"), "requests/s")} requests/s, ` +
        `95th percentile ${valueText(cellValue(cell, "P95_ms"), "ms")} ms`,
      onOpen: () => onOpen(cell),
    })),
  })).filter((curve) => curve.points.length > 0);
}

export function Curves({grid, onOpen}: {grid: Grid; onOpen: (cell: Cell) => void}) {
  const withRows = grid.workers.filter((count) => grid.all.some((cell) => cell.workers === count &&
                                                                cellValue(cell, "RPS") !== null));
  const [chosen, setChosen] = useState<number>();
  const workers = chosen !== undefined && withRows.includes(chosen) ? chosen : withRows.at(-1);
  const replicas = thin(grid.replicas, CURVES_MAX);

  if (workers === undefined)
    return null;
  const throughput = curvesOf(grid, workers, replicas, (cell) => cell.users, THROUGHPUT, onOpen);
  const latency = curvesOf(grid, workers, replicas, (cell) => cellValue(cell, "RPS"), LATENCY, onOpen);
  return <section class="panel" aria-labelledby="curves">
    <h2 id="curves">Curves</h2>
    {withRows.length > 1 && <div class="tools"><label class="inline">Workers <select value={workers}
      onChange={(event) => setChosen(Number(event.currentTarget.value))}>
      {withRows.map((count) => <option key={count}>{count}</option>)}</select></label></div>}
    <div class="plots">
      <Plot title="Throughput against users" xLabel="Users" yLabel="Requests/s" format={shortText} curves={throughput}/>
      {latency.length > 0 && <Plot title="Latency against throughput" xLabel="Requests/s"
        yLabel="95th percentile (ms)" format={milliseconds} curves={latency}
        mayBeLog/>}
    </div>
    <p class="quiet">{plural(workers, "worker")}. Bars are intervals of 95 % confidence, of the steady part of the
      window for the throughput; with repeats, from the lowest to the highest.{replicas.length < grid.replicas.length &&
      ` ${replicas.length} of ${grid.replicas.length} numbers of replicas are drawn.`}</p>
  </section>;
}
