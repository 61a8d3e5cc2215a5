// SPDX-License-Identifier: MIT
//
// Chart - lines over a common axis: the values under the pointer are in its legend, a drag zooms,
// and it can be saved as a picture.
import {useEffect, useRef} from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import {clock, number} from "../format";
import {PAPER_PX, onPaper} from "../paper";
import {theme, useTheme} from "../theme";
import {color} from "./colors";
import type {Marker} from "./track";

export interface Line {
  label: string;
  color: string; // "--line-ok"
  values: (number | null)[];
}

export type Range = [number, number];

export interface ChartProps {
  title: string;
  x: number[];
  lines: Line[];
  format: (value: number) => string;
  range?: Range | undefined; // What is shown of x; undefined: all of it.
  onZoom?: (range: Range | undefined) => void;
  markers?: Marker[];
  group?: string; // Charts of one group show the same moment.
  xLabel?: string;
  xTicks?: {at: number[]; label: (x: number) => string}; // None: x is unix seconds.
  xText?: (x: number) => string;
  isLog?: boolean;
}

const HEIGHT = 260;
const FONT = "12px system-ui, sans-serif";

const LABEL_PX = 52;

/** Labels, without those that would run into the one before. */
function spaced(u: uPlot, at: number[], label: (x: number) => string): string[] {
  let last = -Infinity;

  return at.map((x) => {
    const place = u.valToPos(x, "x");

    if (place - last < LABEL_PX)
      return "";
    last = place;
    return label(x);
  });
}

function axes(props: () => ChartProps): uPlot.Axis[] {
  const stroke = () => color("--quiet");
  const grid = {stroke: () => color("--grid"), width: 1};
  const {xTicks, xLabel} = props();

  return [
    {
      stroke, grid, font: FONT, ticks: grid, space: 80,
      ...(xLabel ? {label: xLabel, labelFont: FONT, labelSize: 22} : {}),
      ...(xTicks ? {splits: (_u: uPlot, _axis: number, min: number, max: number) =>
                   xTicks.at.filter((x) => x >= min && x <= max),
                  values: (u: uPlot, at: number[]) => spaced(u, at, xTicks.label)}
                 : {values: (_: uPlot, at: number[], _axis: number, _space: number, step: number) =>
                     at.map((unix) => clock(unix, step < 60))}),
    },
    {
      stroke, grid, font: FONT, ticks: grid, size: 64,
      values: (_: uPlot, at: (number | null)[]) => {
        const form = at.every((value) => value === null || Number.isInteger(value)) ? number : props().format;
        return at.map((value) => value === null ? "" : form(value));
      },
    },
  ];
}

function drawMarkers(u: uPlot, markers: Marker[]) {
  const {ctx, bbox} = u;

  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color("--quiet");
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const {time, label} of markers) {
    const x = u.valToPos(time, "x", true);

    if (x < bbox.left || x > bbox.left + bbox.width)
      continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(label, x + 4 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
  }
  ctx.restore();
}

function create(root: HTMLElement, props: () => ChartProps): uPlot {
  const {lines, xText, xTicks, group, isLog} = props();

  return new uPlot({
    width: root.clientWidth || 600,
    height: HEIGHT,
    padding: [null, xTicks ? 28 : null, null, null],
    cursor: {
      drag: {x: true, y: false, setScale: false},
      ...(group ? {sync: {key: group}} : {}),
      points: {size: 7},
    },
    scales: {
      x: {time: !xTicks},
      y: isLog ? {distr: 3} : {range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1]},
    },
    axes: axes(props),
    series: [
      {label: xLabel(props()),
       value: (_u, x) => x === null ? "\u2013" : xText ? xText(x) : clock(x, true)},
      ...lines.map((line) => ({
        label: line.label,
        stroke: () => color(line.color),
        width: 2,
        points: {show: false},
        value: (_u: uPlot, value: number | null) =>
          value === null ? "\u2013" : props().format(value),
      })),
    ],
    hooks: {
      draw: [(u) => drawMarkers(u, props().markers ?? [])],
      setSelect: [(u) => {
        if (u.select.width < 5)
          return;
        props().onZoom?.([u.posToVal(u.select.left, "x"),
                          u.posToVal(u.select.left + u.select.width, "x")]);
        u.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
      }],
    },
  }, [[], ...lines.map(() => [])], root);
}

function xLabel(props: ChartProps): string {
  return props.xLabel ?? "Time";
}

function update(u: uPlot, {x, lines, range}: ChartProps) {
  u.setData([x, ...lines.map((line) => line.values)] as uPlot.AlignedData, false);
  const min = range ? range[0] : x[0], max = range ? range[1] : x.at(-1);
  if (min !== undefined && max !== undefined)
    u.setScale("x", {min, max: max > min ? max : min + 1});
}

/** The picture has the colours and the title that are on the page. */
function save(u: uPlot, title: string) {
  const from = u.ctx.canvas, margin = 28 * devicePixelRatio;
  const picture = document.createElement("canvas"), ctx = picture.getContext("2d")!;

  picture.width = from.width;
  picture.height = from.height + margin;
  ctx.fillStyle = color("--card");
  ctx.fillRect(0, 0, picture.width, picture.height);
  ctx.fillStyle = color("--ink");
  ctx.font = `600 ${14 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.fillText(title, 10 * devicePixelRatio, 19 * devicePixelRatio);
  ctx.drawImage(from, 0, margin);
  picture.toBlob((blob) => {
    const link = document.createElement("a");

    link.href = URL.createObjectURL(blob!);
    link.download = `${title.replace(/[^A-Za-z0-9]+/g, "_").toLowerCase()}_${theme()}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}

function lastText(props: ChartProps): string {
  return props.lines.map((line) => {
    const last = line.values.filter((value) => value !== null).at(-1);
    return `${line.label} ${last === undefined ? "unknown" : props.format(last)}`;
  }).join(", ");
}

export function Chart(props: ChartProps) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  const now = useTheme();
  const shape = [props.isLog, ...props.lines.map((line) => line.label)].join("\n");

  latest.current = props;
  useEffect(() => {
    const at = root.current!, u = create(at, () => latest.current);
    const fit = () => {
      if (at.clientWidth)
        u.setSize({width: at.clientWidth, height: HEIGHT});
    };
    const observer = new ResizeObserver(fit);

    plot.current = u;
    u.over.addEventListener("dblclick", () => latest.current.onZoom?.(undefined));
    observer.observe(at);
    const forget = onPaper(() => {
      u.setSize({width: PAPER_PX, height: HEIGHT});
      return fit;
    });
    return () => {
      forget();
      observer.disconnect();
      u.destroy();
    };
  }, [shape]);
  useEffect(() => update(plot.current!, props), [shape, props.x, props.lines, props.range]);
  useEffect(() => plot.current!.redraw(false, true), [now]);

  return <figure class="chart">
    <figcaption>
      <span>{props.title}</span>
      <button class="small" onClick={() => save(plot.current!, props.title)}
              aria-label={`PNG: save "${props.title}" as a picture`}>PNG</button>
    </figcaption>
    <div ref={root} role="img" aria-label={`${props.title}: ${lastText(props)}`}></div>
  </figure>;
}
