// SPDX-License-Identifier: MIT
//
// report - report.json as docs/report.schema.json has it, and what pages ask of it.

export interface Figure {
  value: number;
  unit: string;
  low?: number;
  high?: number;
}

export interface Numbers {
  unit: string;
  values: (number | null)[];
}

export interface Answer {
  question: string;
  asked?: string;
  is_known: boolean;
  text: string;
  /** Of a capacity: more load would have brought more. */
  is_floor?: boolean;
  figures: Record<string, Figure>;
  snippets?: {name: string; text: string}[];
}

export interface Series {
  source: "master" | "polls";
  at: Numbers;
  requests?: Numbers;
  failures?: Numbers;
  mean?: Numbers;
  users?: Numbers;
}

export interface PercentileCurve {
  source: "histogram" | "figures";
  percentile: Numbers;
  time: Numbers;
}

export interface Row {
  scenario: number;
  words: Record<string, string>;
  figures: Record<string, Figure>;
  limits_not_met: string | null;
  series: Series | null;
  percentile_curve: PercentileCurve | null;
}

export interface Term {
  name: string;
  unit: string | null;
  meaning: string;
}

export interface Report {
  written: string;
  rows_recorded: number;
  rows_measured: number;
  answers: Answer[];
  plan: {
    replicas?: Numbers;
    workers?: Numbers;
    users?: Numbers;
    duration?: Figure;
    repeats?: Figure;
    scenarios: Figure;
    settings: string;
  };
  environment: {name: string; text: string}[];
  rows: Row[];
  glossary: Term[];
  glossary_of_answers: Term[];
}

export type Axis = "Replicas" | "Workers" | "Users";

/** All rows of one combination: several with repeats. */
export interface Cell {
  replicas: number;
  workers: number;
  users: number;
  rows: Row[];
}

export function figure(row: Row, name: string): number | null {
  return row.figures[name]?.value ?? null;
}

/** Its rows are probes, whose users the driver has chosen. */
export function isSearch(report: Report | undefined): boolean {
  return report?.answers.some(({question}) => question === "slo") ?? false;
}

export function isOk(row: Row): boolean {
  return row.words.Status === "ok";
}

const BOUND = /^(.+)_(Low|High)(_ms)?$/;

/** By the name of a column; a bound of an interval is a part of its figure. */
export function columnValue(row: Row, name: string): number | string | null {
  const [, stem, end, unit] = BOUND.exec(name) ?? [];
  const whole = stem && row.figures[stem + (unit ?? "")];

  if (whole)
    return (end === "Low" ? whole.low : whole.high) ?? null;
  return figure(row, name) ?? row.words[name] ?? null;
}

/** "Median_Low_ms" is only a bound of another figure. */
export function isBound(name: string): boolean {
  return BOUND.test(name);
}

function key(replicas: number, workers: number, users: number): string {
  return `${replicas} ${workers} ${users}`;
}

function ascending(values: Iterable<number>): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

/** The plan as cells: its lists, and what the rows have besides (a search chooses its users). */
export class Grid {
  replicas: number[];
  workers: number[];
  users: number[];
  private cells = new Map<string, Cell>();

  constructor(report: Report) {
    const {plan, rows} = report;
    const axis = (name: Axis, planned: Numbers | undefined) => ascending([
      ...(planned?.values ?? []) as number[], ...rows.map((row) => figure(row, name) ?? 0)]);

    this.replicas = axis("Replicas", plan.replicas);
    this.workers = axis("Workers", plan.workers);
    this.users = axis("Users", isSearch(report) && rows.length ? undefined : plan.users);
    for (const row of rows) {
      const [replicas, workers, users] = [figure(row, "Replicas")!, figure(row, "Workers")!, figure(row, "Users")!];
      const name = key(replicas, workers, users), cell = this.cells.get(name);

      if (cell)
        cell.rows.push(row);
      else
        this.cells.set(name, {replicas, workers, users, rows: [row]});
    }
  }

  at(replicas: number, workers: number, users: number): Cell {
    return this.cells.get(key(replicas, workers, users)) ?? {replicas, workers, users, rows: []};
  }

  get all(): Cell[] {
    return [...this.cells.values()];
  }
}

function mean(values: number[]): number | null {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

export function known(cell: Cell, name: string): number[] {
  return cell.rows.filter(isOk).map((row) => figure(row, name)).filter((value) => value !== null);
}

/** Of the rows that are ok, together. */
export function cellValue(cell: Cell, name: string): number | null {
  return mean(known(cell, name));
}

/** What is known of how far the value may be off: the interval of a single row, else from the
 * lowest to the highest of the repeats. */
export function cellRange(cell: Cell, name: string, interval: string): [number, number] | null {
  const values = known(cell, name), row = cell.rows.find(isOk), own = row?.figures[interval];

  if (values.length > 1)
    return [Math.min(...values), Math.max(...values)];
  return own?.low !== undefined && own.high !== undefined ? [own.low, own.high] : null;
}

export type Verdict = "valid" | "suspect" | "invalid" | "failed" | "";

export function rowVerdict(row: Row): Verdict {
  return isOk(row) ? (row.words.Verdict ?? "") as Verdict : "failed";
}

const WORST: Verdict[] = ["invalid", "suspect", "", "valid"];

/** The worst of the rows that count; "failed" when none does, "" when there is none. */
export function cellVerdict(cell: Cell): Verdict {
  const verdicts = cell.rows.filter(isOk).map(rowVerdict);

  if (!verdicts.length)
    return cell.rows.length ? "failed" : "";
  return WORST.find((one) => verdicts.includes(one))!;
}

export function plural(count: number, word: string): string {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

export function scenarioText(cell: {replicas: number; workers: number; users: number}): string {
  return `${plural(cell.replicas, "replica")}, ${plural(cell.workers, "worker")}, ${plural(cell.users, "user")}`;
}

export function rowText(row: Row): string {
  return scenarioText({replicas: figure(row, "Replicas") ?? 0, workers: figure(row, "Workers") ?? 0,
                       users: figure(row, "Users") ?? 0});
}
