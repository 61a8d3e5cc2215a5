// SPDX-License-Identifier: MIT
//
// Latency - which share of the requests took how long, down to the rarest.
import {useMemo, useState} from "preact/hooks";

import type {Curve, Distribution, Row} from "../api";
import {Chart} from "../charts/Chart";
import type {Line} from "../charts/Chart";
import {milliseconds, number} from "../format";
import {usePoll} from "../poll";
import {NamePicker} from "./NamePicker";
import {TOTAL} from "./useTrack";

const POLL_MS = 3000;
const STILL_MS = 10000;
const SHARES = [0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 1];

/** How far to the right: each nine of a share is as wide as the one before. */
function nines(share: number): number {
  return -Math.log10(1 - share);
}

function percentText(share: number): string {
  return `${+(share * 100).toPrecision(8)} %`;
}

/** The smallest time within which this share had ended. */
function timeAt({points}: Curve, share: number): number | null {
  return points.find(([upTo]) => upTo >= share - 1e-12)?.[1] ?? points.at(-1)?.[1] ?? null;
}

function pathOf(key: string): string {
  const [method, name] = key.split("\0");

  return key === TOTAL ? "stats/distribution"
    : `stats/distribution?method=${encodeURIComponent(method!)}&name=${encodeURIComponent(name!)}`;
}

/** Both curves over the shares of either. */
function lines({service_time: service, response_time_from_start: response}: Distribution):
    {x: number[]; lines: Line[]} {
  const end = nines(1 - 1 / (Math.max(service.count, response?.count ?? 0) * 2 || 2));
  const place = (share: number) => share < 1 ? Math.min(nines(share), end) : end;
  const curves: [string, string, Curve][] = [["Service time", "--line-1", service]];

  if (response)
    curves.push(["Response time from the intended start", "--line-2", response]);
  const shares = [...new Set(curves.flatMap(([, , curve]) => curve.points.map(([share]) => share)))]
    .sort((a, b) => a - b);
  return {x: shares.map(place), lines: curves.map(([label, color, curve]) =>
    ({label, color, values: shares.map((share) => timeAt(curve, share))}))};
}

const TICKS = {at: SHARES.filter((share) => share < 1).map(nines), label: (x: number) =>
  percentText(1 - 10 ** -x)};

function Percentiles({curves}: {curves: [string, Curve][]}) {
  return <div class="scroll" tabIndex={0} role="region" aria-label="Percentiles"><table>
    <thead><tr><th scope="col" class="text">Share</th>{curves.map(([label]) =>
      <th key={label} scope="col" class="n">{label} (ms)</th>)}</tr></thead>
    <tbody>{SHARES.slice(1).map((share) => <tr key={share}>
      <th scope="row" class="text">{share === 1 ? "Longest" : percentText(share)}</th>
      {curves.map(([label, curve]) => <td key={label} class="n">{milliseconds(timeAt(curve, share))}</td>)}
    </tr>)}</tbody></table></div>;
}

/** As a curve and as a table. */
export function Spread({value, isLog}: {value: Distribution; isLog: boolean}) {
  const drawn = useMemo(() => lines(value), [value]);
  const curves: [string, Curve][] = [["Service time", value.service_time]];

  if (value.response_time_from_start)
    curves.push(["Response time", value.response_time_from_start]);
  return <>
    <Chart title="Response time by share of requests (ms)" x={drawn.x} lines={drawn.lines}
           format={milliseconds} isLog={isLog} xLabel="Share of requests" xTicks={TICKS}
           xText={(x) => percentText(1 - 10 ** -x)}/>
    <Percentiles curves={curves}/>
  </>;
}

/** Of how many requests, and how exactly. */
export function basisText({service_time: {count, is_exact}}: Distribution): string {
  return `${number(count)} requests${is_exact ? "" : ", some of them with times that Locust's workers rounded"}`;
}

export function Latency({rows, isBusy}: {rows: Row[]; isBusy: boolean}) {
  const [name, setName] = useState(TOTAL);
  const [isLog, setLog] = useState(true);
  const {value, error} = usePoll<Distribution>(pathOf(name), isBusy ? POLL_MS : STILL_MS);

  return <>
    <div class="tools">
      <NamePicker rows={rows} value={name} onChange={setName}/>
      <label class="check"><input type="checkbox" checked={isLog}
        onChange={() => setLog(!isLog)}/>Logarithmic times</label>
      {value && <span class="quiet">{basisText(value)}</span>}
    </div>
    {error && <p class="notice bad">{error}</p>}
    {value?.service_time.count === 0 && <p class="empty">No request has ended yet.</p>}
    {value && value.service_time.count > 0 && <Spread value={value} isLog={isLog}/>}
  </>;
}
