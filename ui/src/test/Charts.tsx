// SPDX-License-Identifier: MIT
//
// Charts - how the test went, in all or for one name.
import {useMemo, useRef, useState} from "preact/hooks";

import type {Row} from "../api";
import {Chart} from "../charts/Chart";
import type {Line, Range} from "../charts/Chart";
import type {Marker, Track} from "../charts/track";
import {milliseconds, number} from "../format";
import {NamePicker} from "./NamePicker";
import {TOTAL} from "./useTrack";
import type {Tracked} from "./useTrack";

const SPANS: [string, number][] = [["5 min", 300], ["1 h", 3600], ["All", 0]];

export interface Picture {
  times: number[];
  rates: Line[];
  latencies: Line[];
  users: Line[];
}

/** "99.9%ile" of "p99.9", each in a colour of its own as long as there are enough. */
export function percentileLine(key: string, i: number, values: Line["values"]): Line {
  return {label: `${key.slice(1)}%ile`, color: `--line-${1 + i % 4}`, values};
}

function picture(track: Track, name: string, shares: string[]): Picture {
  const line = (label: string, color: string, metric: string, of = name): Line =>
    ({label, color, values: track.values(of, metric)});
  const latencies = (name === TOTAL ? shares : ["p50", "p95", "p99"]).map((key, i) =>
    percentileLine(key, i, track.values(name, key)));

  if (name !== TOTAL)
    latencies.push(line("Average now", "--line-4", "mean"));
  return {
    times: track.times,
    rates: [line("Requests/s", "--line-ok", "rps"), line("Failures/s", "--line-bad", "failures")],
    latencies,
    users: [line("Users", "--line-1", "users", TOTAL)],
  };
}

/** All three, of one time. */
export function Pictures({shown, latencyTitle, ...common}: {
  shown: Picture;
  latencyTitle: string;
  range: Range | undefined;
  onZoom: (range: Range | undefined) => void;
  markers?: Marker[];
}) {
  const all = {x: shown.times, group: "test", ...common};

  return <>
    <Chart {...all} title="Requests per second" lines={shown.rates}
           format={(value) => number(value, value && value < 10 ? 1 : 0)}/>
    <Chart {...all} title={latencyTitle} lines={shown.latencies} format={milliseconds}/>
    <Chart {...all} title="Number of users" lines={shown.users} format={(value) => number(value)}/>
  </>;
}

export const LATENCY_NOW = "Response times of the last 10 s (ms)";

export function Charts({track, shares, looks, rows}: Tracked & {rows: Row[]}) {
  const [name, setName] = useState(TOTAL);
  const [isPaused, setPaused] = useState(false);
  const [zoom, setZoom] = useState<Range>();
  const [span, setSpan] = useState(0);
  const kept = useRef<{name: string; shown: Picture} | undefined>(undefined);
  const now = useMemo(() => picture(track, name, shares), [looks, name, track]);
  // A pause is one of looking: what comes meanwhile is there afterwards.
  const shown = isPaused && kept.current?.name === name ? kept.current.shown : now;
  const last = shown.times.at(-1) ?? 0;
  const range = useMemo<Range | undefined>(
    () => zoom ?? (span && shown.times.length ? [Math.max(last - span, shown.times[0]!), last] : undefined),
    [zoom, span, shown]);

  kept.current = {name, shown};

  function choose(seconds: number) {
    setZoom(undefined);
    setSpan(seconds);
  }

  return <>
    <div class="tools">
      <NamePicker rows={rows} value={name} onChange={setName}/>
      <div class="segments" role="group" aria-label="Time shown">{SPANS.map(([label, seconds]) =>
        <button key={label} aria-pressed={!zoom && span === seconds}
                onClick={() => choose(seconds)}>{label}</button>)}</div>
      <button aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
        {isPaused ? "Go on" : "Pause"}</button>
      <span class="quiet">{zoom ? "Zoomed: double-click or All shows all" : "Drag to zoom"}</span>
    </div>
    <Pictures shown={shown} range={range} onZoom={setZoom} markers={track.markers}
              latencyTitle={name === TOTAL ? LATENCY_NOW
                            : "Response times of the test so far, and average now (ms)"}/>
  </>;
}
