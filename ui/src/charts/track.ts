// SPDX-License-Identifier: MIT
//
// track - values over time in bounded memory, for a test of any length: the last minutes as they
// were seen, and all of it in a resolution that halves each time there is no room.
//
// A moment is a frame: its time, and the values of every series then. A value that is not known is
// a gap.

const LONG_FRAMES = 1024; // Even.
const RECENT_FRAMES = 300;
const SERIES_MAX = 501; // The rows that the server shows, and the total.

export type Values = Record<string, number | null>;

/** Frames of all series, at most a number of them. */
class Frames {
  times: number[] = [];
  private series = new Map<string, Map<string, Float32Array>>();

  constructor(private limit: number) {}

  add(time: number, values: Map<string, Values>): void {
    const at = this.times.length;

    this.times.push(time);
    for (const [name, row] of values) {
      let columns = this.series.get(name);
      if (!columns) {
        this.makeRoom(values);
        this.series.set(name, columns = new Map());
      }
      for (const metric in row) {
        let column = columns.get(metric);
        if (!column)
          columns.set(metric, column = new Float32Array(this.limit).fill(NaN));
        column[at] = row[metric] ?? NaN;
      }
    }
  }

  /** One more series fits, if need be in place of one that has no value now. */
  private makeRoom(values: Map<string, Values>): void {
    for (const name of this.series.keys()) {
      if (this.series.size < SERIES_MAX)
        return;
      if (!values.has(name))
        this.series.delete(name);
    }
  }

  get isFull(): boolean {
    return this.times.length === this.limit;
  }

  /** Moves frame from[i] to i, for all i, and forgets the others. */
  private keep(from: number[]): void {
    this.times = from.map((at) => this.times[at]!);
    for (const columns of this.series.values())
      for (const column of columns.values()) {
        from.forEach((at, i) => column[i] = column[at]!);
        column.fill(NaN, from.length);
      }
  }

  halve(): void {
    this.keep(this.times.map((_, i) => i).filter((i) => i % 2 === 0));
  }

  dropFirst(count: number): void {
    this.keep(this.times.map((_, i) => i).slice(count));
  }

  values(name: string, metric: string, until: number): (number | null)[] {
    const column = this.series.get(name)?.get(metric);
    const out: (number | null)[] = [];

    for (let i = 0; i < until; i++) {
      const value = column ? column[i]! : NaN;
      out.push(Number.isNaN(value) ? null : value);
    }
    return out;
  }
}

export interface Marker {
  time: number;
  label: string;
}

const MARKERS_MAX = 100;

export class Track {
  private long = new Frames(LONG_FRAMES);
  private recent = new Frames(RECENT_FRAMES);
  private longInterval = 0;
  markers: Marker[] = [];

  add(time: number, values: Map<string, Values>): void {
    const lastTime = this.long.times.at(-1);

    // A clock that was set back would tie the line into a knot.
    if (lastTime !== undefined && time <= Math.max(lastTime, this.recent.times.at(-1) ?? 0))
      return;
    if (this.recent.isFull)
      this.recent.dropFirst(RECENT_FRAMES / 10);
    this.recent.add(time, values);
    if (lastTime !== undefined && time - lastTime < this.longInterval)
      return;
    if (this.long.isFull) {
      this.long.halve();
      this.longInterval = 2 * Math.max(this.longInterval, (time - this.long.times[0]!) / LONG_FRAMES);
    }
    this.long.add(time, values);
  }

  mark(time: number, label: string): void {
    this.markers = [...this.markers, {time, label}].slice(-MARKERS_MAX);
  }

  /** How many frames of the long part come before the recent one. */
  private get before(): number {
    const first = this.recent.times[0] ?? Infinity;
    const count = this.long.times.findIndex((time) => time >= first);

    return count < 0 ? this.long.times.length : count;
  }

  get times(): number[] {
    return [...this.long.times.slice(0, this.before), ...this.recent.times];
  }

  values(name: string, metric: string): (number | null)[] {
    return [...this.long.values(name, metric, this.before),
            ...this.recent.values(name, metric, this.recent.times.length)];
  }
}
