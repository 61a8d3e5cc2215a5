// SPDX-License-Identifier: MIT
//
// Plot - curves through points of two figures, with their intervals as bars. In the order in which
// they are given: over its throughput a curve of latencies bends back where a service is overloaded.
import {useEffect, useRef, useState} from "preact/hooks";

import {PAPER_PX, onPaper} from "../paper";

export interface Point {
  x: number;
  y: number;
  range: [number, number] | null; // Of y.
  about: string;
  onOpen: () => void;
}

export interface Curve {
  label: string;
  color: number; // 0 to 7
  points: Point[];
}

const HEIGHT = 300, LEFT = 64, RIGHT = 14, TOP = 12, BOTTOM = 44;
const LOG_FROM = 40; // Times the smallest is the largest value.

/** Round steps that part [0, max] into five or so. */
function evenTicks(max: number, about: number): number[] {
  const rough = max / about, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough)!;

  return Array.from({length: Math.floor(max / step + 1e-9) + 1}, (_, i) => +(i * step).toPrecision(12));
}

function logTicks(min: number, max: number): number[] {
  const ticks: number[] = [], first = Math.floor(Math.log10(min)), last = Math.ceil(Math.log10(max));
  const parts = last - first > 3 ? [1] : [1, 2, 5];

  for (let power = first; power <= last; power++)
    ticks.push(...parts.map((part) => +(part * 10 ** power).toPrecision(6)));
  return ticks.filter((tick) => tick >= min * 0.999 && tick <= max * 1.001);
}

interface Scale {
  at: (value: number) => number;
  ticks: number[];
}

function evenScale(max: number, from: number, to: number, about: number): Scale {
  const top = (max || 1) * 1.05;

  return {at: (value) => from + (value / top) * (to - from), ticks: evenTicks(top, about)};
}

function logScale(min: number, max: number, from: number, to: number): Scale {
  const low = min * 0.8, high = max * 1.25, span = Math.log(high / low);

  return {at: (value) => from + (Math.log(value / low) / span) * (to - from), ticks: logTicks(low, high)};
}

function yScale(points: Point[], mayBeLog: boolean | undefined): Scale {
  const values = points.flatMap(({y, range}) => [y, ...(range ?? [])]);
  const min = Math.min(...values), max = Math.max(...values);

  return mayBeLog && min > 0 && max / min > LOG_FROM ? logScale(min, max, HEIGHT - BOTTOM, TOP)
    : evenScale(max, HEIGHT - BOTTOM, TOP, 5);
}

function useWidth() {
  const root = useRef<HTMLDivElement>(null);
  const [width, set] = useState(600);

  useEffect(() => {
    const fit = () => set(root.current?.clientWidth || 600);
    const observer = new ResizeObserver(fit);
    const forget = onPaper(() => {
      set(PAPER_PX);
      return fit;
    });

    observer.observe(root.current!);
    return () => {
      forget();
      observer.disconnect();
    };
  }, []);
  return {root, width};
}

function Shape({color, x, y}: {color: number; x: number; y: number}) {
  const d = ["M-4-4h8v8h-8z", "M0-5.5 5 4H-5z", "M0-5.5 5.5 0 0 5.5-5.5 0z"][color % 4 - 1];

  return <g transform={`translate(${x},${y})`}>{d ? <path d={d}/> : <circle r="4.5"/>}</g>;
}

function Lines({curve, x, y}: {curve: Curve; x: Scale; y: Scale}) {
  return <g class={`curve c${curve.color}`}>
    <polyline points={curve.points.map((point) => `${x.at(point.x)},${y.at(point.y)}`).join(" ")}/>
    {curve.points.map(({range, ...point}, i) => range && range[1] > range[0] &&
      <path key={i} class="bar" d={`M${x.at(point.x)},${y.at(range[0])}V${y.at(range[1])}m-4,0h8M${x.at(point.x) - 4},${y.at(range[0])}h8`}/>)}
    {curve.points.map((point, i) =>
      <a key={i} role="button" tabIndex={0} aria-label={point.about} onClick={point.onOpen}
         onKeyDown={(event) => event.key === "Enter" && point.onOpen()}>
        <title>{point.about}</title><Shape color={curve.color} x={x.at(point.x)} y={y.at(point.y)}/></a>)}
  </g>;
}

export function Plot({title, xLabel, yLabel, format, curves, mayBeLog}: {
  title: string;
  xLabel: string;
  yLabel: string;
  format: (value: number) => string;
  curves: Curve[];
  mayBeLog?: boolean; // Where the values are far apart.
}) {
  const {root, width} = useWidth(), points = curves.flatMap((curve) => curve.points);
  const x = evenScale(Math.max(...points.map((point) => point.x)), LEFT, width - RIGHT, width / 90);
  const y = yScale(points, mayBeLog);
  const bottom = HEIGHT - BOTTOM;

  return <figure class="plot">
    <figcaption>{title}</figcaption>
    <div ref={root}><svg width={width} height={HEIGHT} role="group" aria-label={title}>
      {y.ticks.map((tick) => <g key={tick}><path class="grid" d={`M${LEFT},${y.at(tick)}H${width - RIGHT}`}/>
        <text x={LEFT - 8} y={y.at(tick) + 4} text-anchor="end">{format(tick)}</text></g>)}
      {x.ticks.map((tick) => <g key={tick}><path class="grid" d={`M${x.at(tick)},${TOP}V${bottom}`}/>
        <text x={x.at(tick)} y={bottom + 18} text-anchor="middle">{tick.toLocaleString("en")}</text></g>)}
      <text x={width - RIGHT} y={HEIGHT - 6} text-anchor="end">{xLabel} {"\u2192"}</text>
      <text x={4} y={HEIGHT - 6}>{"\u2191"} {yLabel}</text>
      {curves.map((curve) => <Lines key={curve.label} curve={curve} x={x} y={y}/>)}
    </svg></div>
    <ul class="keys">{curves.map((curve) => <li key={curve.label}>
      <svg class={`curve c${curve.color}`} width="14" height="14" aria-hidden="true"><Shape color={curve.color} x={7} y={7}/></svg>{curve.label}</li>)}</ul>
  </figure>;
}
