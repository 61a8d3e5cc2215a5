// SPDX-License-Identifier: MIT
//
// Details - all that is known of a row: how its window went, how its times are spread, every figure.
import {useMemo} from "preact/hooks";

import {Chart} from "../charts/Chart";
import type {Line} from "../charts/Chart";
import {Dialog} from "../components/Dialog";
import {milliseconds, number} from "../format";
import {rangeText, valueText} from "./figures";
import {Mark} from "./Mark";
import {isBound, rowText, rowVerdict} from "./report";
import type {PercentileCurve, Row, Series, Term} from "./report";

const SECONDS = 8; // Ticks, about.

function secondTicks(at: number[]) {
  const end = at.at(-1) ?? 1, step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((one) => end / one <= SECONDS) ?? end / SECONDS;

  return {at: Array.from({length: Math.floor(end / step) + 1}, (_, i) => i * step), label: (x: number) => `${number(x)} s`};
}

function SeriesCharts({series}: {series: Series}) {
  const drawn = useMemo(() => {
    const at = series.at.values as number[], rates: Line[] = [];

    if (series.requests)
      rates.push({label: "Requests/s", color: "--line-ok", values: series.requests.values});
    if (series.failures)
      rates.push({label: "Failures/s", color: "--line-bad", values: series.failures.values});
    return {at, rates, xTicks: secondTicks(at),
            times: series.mean ? [{label: "Mean (ms)", color: "--line-1", values: series.mean.values}] : []};
  }, [series]);
  const common = {x: drawn.at, xLabel: "Seconds of the window", xTicks: drawn.xTicks,
                  xText: (x: number) => `${number(x, 1)} s`, group: "row"};

  if (!drawn.at.length)
    return null;
  return <>
    <Chart {...common} title="Requests per second in the window" lines={drawn.rates}
           format={(value) => number(value, value < 10 ? 1 : 0)}/>
    {drawn.times.length > 0 &&
      <Chart {...common} title="Mean service time in the window (ms)" lines={drawn.times} format={milliseconds}/>}
    {series.source === "polls" && <p class="quiet">The points are slopes between the driver's looks.</p>}
  </>;
}

const PERCENTS = [0, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999];

/** How far to the right: each nine is as wide as the one before. */
function nines(percent: number): number {
  return -Math.log10(1 - percent / 100);
}

function percentText(x: number): string {
  return `${+((1 - 10 ** -x) * 100).toPrecision(7)} %`;
}

const TICKS = {at: PERCENTS.map(nines), label: percentText};

function PercentileChart({curve}: {curve: PercentileCurve}) {
  const drawn = useMemo(() => {
    const points = curve.percentile.values.map((percent, i) => [percent!, curve.time.values[i] ?? null] as const);
    const last = points.filter(([percent]) => percent < 100).at(-1), end = last ? nines(last[0]) + 0.3 : 1;

    return {x: points.map(([percent]) => percent < 100 ? nines(percent) : end),
            lines: [{label: "Service time (ms)", color: "--line-1", values: points.map(([, time]) => time)}]};
  }, [curve]);

  return <Chart title="Service time by share of requests (ms)" x={drawn.x} lines={drawn.lines} format={milliseconds}
    isLog={drawn.lines[0]!.values.every((value) => value === null || value > 0)} xLabel="Share of requests" xTicks={TICKS} xText={percentText}/>;
}

function Figures({row, glossary}: {row: Row; glossary: Term[]}) {
  return <div class="scroll" tabIndex={0} role="region" aria-label="Figures of the row"><table>
    <thead><tr><th scope="col" class="text">Figure</th><th scope="col" class="n">Value</th>
      <th scope="col" class="text">Unit</th><th scope="col" class="n">Interval (95 %)</th><th scope="col" class="text">Meaning</th></tr></thead>
    <tbody>{glossary.filter(({name}) => !isBound(name)).map(({name, meaning}) => {
      const figure = row.figures[name];

      return figure && <tr key={name}><th scope="row" class="text">{name}</th>
        <td class="n">{valueText(figure.value, figure.unit)}</td><td class="text">{figure.unit}</td>
        <td class="n">{rangeText(figure)}</td><td class="text meaning">{meaning.replaceAll("`", "")}</td></tr>;
    })}</tbody></table></div>;
}

export function Details({row, glossary, siblings, onOpen, onClose}: {
  row: Row;
  glossary: Term[];
  siblings: Row[]; // The rows of its combination.
  onOpen: (row: Row) => void;
  onClose: () => void;
}) {
  const {words} = row;

  return <Dialog title={`Row ${row.scenario}: ${rowText(row)}`} onClose={onClose}>
    {siblings.length > 1 && <div class="tools"><div class="segments" role="group" aria-label="Rows of this combination">
      {siblings.map((one) => <button key={one.scenario} aria-pressed={one === row} onClick={() => onOpen(one)}>
        Row {one.scenario}</button>)}</div></div>}
    <p><Mark verdict={rowVerdict(row)}/> {words.Reason && <bdi>{words.Reason}</bdi>}</p>
    <p>Status <strong>{words.Status}</strong>, begun <time dateTime={words.Timestamp}>{words.Timestamp}</time>
      {words.Model && <>, model {words.Model}</>}{words.Generator && <>, generator {words.Generator}</>}</p>
    {words.Note && <p class="notice"><bdi>{words.Note}</bdi></p>}
    {row.limits_not_met && <p class="notice bad">Limits not met: {row.limits_not_met}</p>}
    {row.series && <SeriesCharts series={row.series} key={row.scenario}/>}
    {row.percentile_curve && row.percentile_curve.time.values.length > 0 &&
      <PercentileChart curve={row.percentile_curve} key={`p${row.scenario}`}/>}
    <Figures row={row} glossary={glossary}/>
  </Dialog>;
}
