// SPDX-License-Identifier: MIT
//
// useTrack - keeps how the test went, from the server's history when the page is opened and from
// then on from what is polled anyway.
import {useEffect, useRef, useState} from "preact/hooks";

import {getJson, isBusy, percentilesOf} from "../api";
import type {History, Requests, Row, State} from "../api";
import {Track} from "../charts/track";
import type {Values} from "../charts/track";
import type {Restarted} from "./restart";

export const TOTAL = "";

/** What a row is called in a track. */
export function keyOf(row: Row): string {
  return row.name === "Aggregated" && row.method === "" ? TOTAL : `${row.method}\0${row.name}`;
}

interface Seen {
  count: number;
  sumMs: number;
}

class Recorder {
  track = new Track();
  shares: string[] = []; // The percentiles of the last seconds that there are.
  private state: State | undefined;
  private runs = 0;
  private seen = new Map<string, Seen>();
  private ahead = 0; // The server's clock, of this one.

  /** Mean of what came since the last look. */
  private meanSince(key: string, row: Row): number | null {
    const last = this.seen.get(key), sumMs = row.avg_response_time * row.num_requests;
    const isReset = !last || last.count > row.num_requests;
    const count = row.num_requests - (isReset ? 0 : last.count);

    this.seen.set(key, {count: row.num_requests, sumMs});
    return count > 0 ? (sumMs - (isReset ? 0 : last.sumMs)) / count : null;
  }

  private values(now: Requests): Map<string, Values> {
    const all = new Map<string, Values>();

    for (const row of now.stats) {
      const key = keyOf(row);
      const values: Values = {rps: row.current_rps, failures: row.current_fail_per_sec};

      if (key === TOTAL)
        Object.assign(values, {users: now.user_count, ...now.current_exact_times});
      else
        Object.assign(values, {
          mean: this.meanSince(key, row),
          p50: row.exact_times?.p50 ?? null,
          p95: row.exact_times?.p95 ?? null,
          p99: row.exact_times?.p99 ?? null,
        });
      all.set(key, values);
    }
    return all;
  }

  seed(history: History): void {
    const recent = percentilesOf(history);

    this.ahead = history.now - Date.now() / 1000;
    history.time.forEach((time, i) => {
      this.track.add(time, new Map([[TOTAL, {
        rps: history.current_rps[i]!,
        failures: history.current_fail_per_sec[i]!,
        users: history.user_count[i]!,
        ...Object.fromEntries(recent.map(([key, values]) => [key, values[i]!])),
      }]]));
    });
  }

  /** A page that is opened in the middle of a test knows its beginning from the history. */
  private markBegin(time: number): void {
    const isFirst = this.state === undefined;

    this.track.mark(isFirst ? this.track.times[0] ?? time : time, `Run #${++this.runs}`);
  }

  look(now: Requests): void {
    const time = Date.now() / 1000 + this.ahead;
    this.shares = Object.keys(now.current_exact_times);
    const busy = isBusy(now.state), wasBusy = isBusy(this.state);

    if (busy && !wasBusy && this.state !== undefined) {
      this.seen.clear();
      if (this.track.times.length)
        this.track.add(time - 0.001, new Map()); // A gap between two tests.
    }
    if (busy && !wasBusy)
      this.markBegin(time);
    if (busy || wasBusy)
      this.track.add(time, this.values(now));
    this.state = now.state;
  }
}

export interface Tracked {
  track: Track;
  shares: string[];
  looks: number; // How often something was added.
}

export function useTrack(now: Requests | undefined, restarted: Restarted): Tracked {
  const recorder = useRef<Recorder | undefined>(undefined);
  const [isSeeded, setSeeded] = useState(false);
  const [looks, setLooks] = useState(0);

  recorder.current ??= new Recorder();
  useEffect(() => {
    let isOver = false;

    recorder.current = new Recorder();
    setSeeded(false);
    // Without a history the charts begin now.
    void getJson<History>("stats/history")
      .then((history) => { if (!isOver) recorder.current!.seed(history); }, () => {})
      .then(() => { if (!isOver) setSeeded(true); });
    return () => { isOver = true; };
  }, [restarted.times]);
  useEffect(() => {
    if (!now || !isSeeded)
      return;
    recorder.current!.look(now);
    setLooks((count) => count + 1);
  }, [now, isSeeded]);
  return {track: recorder.current.track, shares: recorder.current.shares, looks};
}
