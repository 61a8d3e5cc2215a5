// SPDX-License-Identifier: MIT
//
// api - the routes of a load test that the page asks, and their replies (src/web/openapi.json).
// All paths are relative, so the page works behind a proxy that gives it a path of its own.

export type State = "ready" | "spawning" | "running" | "stopping" | "stopped" | "missing";

export interface Row {
  method: string;
  name: string;
  num_requests: number;
  num_failures: number;
  avg_response_time: number;
  /** "min", "max" and percentiles such as "p99.9", in full resolution where it is known; null: nothing was
   * timed. */
  exact_times: Record<string, number | null> | null;
  avg_content_length: number;
  current_rps: number;
  current_fail_per_sec: number;
}

export interface Failure {
  method: string;
  name: string;
  error: string;
  occurrences: number;
  first_seen: number | null;
  last_seen: number | null;
}

export interface Worker {
  id: string;
  index: number;
  version: string | null; // Of Locust.
  cicada: string | null;
  state: State;
  user_count: number;
  cpu_usage: number | null;
  memory_usage: number;
  lag_p99_ms: number | null;
}

export interface Requests {
  state: State;
  user_count: number;
  current_rps: number;
  current_fail_per_sec: number;
  fail_ratio: number;
  current_exact_times: Record<string, number | null>; // Percentiles of the last seconds.
  stats: Row[];
  errors: Failure[];
  worker_count?: number;
  workers?: Worker[];
  workers_on_one_port?: number;
}

export interface UserClass {
  name: string;
  weight: number;
  fixed_count: number;
  host: string | null; // Of its own, where it is not the test's.
  tasks: {name: string; tags: string; is_drawn: boolean}[]; // tags: words
}

/** That a locustfile has added. */
export interface OwnOption {
  name: string;
  help: string;
  value: string | null;
  is_secret: boolean;
  choices: string[] | null;
}

export interface Settings {
  version: string;
  process_start: number;
  scenario: string | null;
  host: string | null;
  profile: string | null;
  is_distributed: boolean;
  has_full_history: boolean;
  shape: string | null; // The one that rules, or did last.
  shape_wants_numbers: boolean;
  shapes: {name: string; wants_numbers: boolean}[];
  is_shaped: boolean; // It rules the test that runs, or ruled the last one.
  user_count: number;
  spawn_rate: number;
  run_time: number;
  user_classes: UserClass[];
  options: OwnOption[];
}

export interface History {
  now: number;
  time: number[];
  current_rps: number[];
  current_fail_per_sec: number[];
  [percentile: `response_time_percentile_${string}`]: (number | null)[];
  user_count: number[];
}

const PERCENTILE = "response_time_percentile_";

/** "p95" of 0.95 */
export function percentileKey(share: number): string {
  return `p${+(share * 100).toPrecision(8)}`;
}

export function percentilesOf(history: History): [string, (number | null)[]][] {
  return Object.entries(history).filter(([key]) => key.startsWith(PERCENTILE)).map(([key, values]) =>
    [percentileKey(Number(key.slice(PERCENTILE.length))), values as (number | null)[]]);
}

export interface Curve {
  count: number;
  is_exact: boolean;
  /** [share of the requests, milliseconds that they took at most] */
  points: [number, number][];
}

export interface Distribution {
  method: string;
  name: string;
  service_time: Curve;
  response_time_from_start: Curve | null;
}

/** How the load generator did; null: nobody says. */
export interface Generator {
  limited: boolean | null;
  reason: string | null;
  lag_p99_ms: number | null;
  lag_max_ms: number | null;
  cpu_percent_max: number | null;
  connections_opened: number;
  connections_failed: number;
  dropped: number;
}

export interface Window {
  generator: Generator;
}

export interface Exception {
  count: number;
  msg: string;
  traceback: string;
  nodes: string;
}

export interface Ratios {
  [name: string]: {ratio: number; tasks?: Ratios};
}

export interface Tasks {
  per_class: Ratios;
  total: Ratios;
}

export interface Logs {
  master: string[];
  workers: {[id: string]: string[]};
}

/** The server answered, but with a refusal. */
export class Refusal extends Error {}

const DEADLINE_MS = 15000;
// A stop is answered when the last user is gone.
const STOP_DEADLINE_MS = 24 * 3600 * 1000;

async function ask(path: string, options: RequestInit, deadline = DEADLINE_MS): Promise<Response> {
  const reply = await fetch(path, {
    cache: "no-store",
    signal: AbortSignal.timeout(deadline),
    ...options,
  });

  if (reply.status === 401)
    throw new Refusal("You are not logged in any more: reload the page to log in again.");
  return reply;
}

async function refusal(reply: Response): Promise<Refusal> {
  const text = await reply.text();

  try {
    const said = JSON.parse(text) as {error?: string; message?: string};
    return new Refusal(said.error ?? said.message ?? text);
  } catch {
    return new Refusal(`The load generator answered ${reply.status}.`);
  }
}

export async function getJson<T>(path: string): Promise<T> {
  const reply = await ask(path, {});

  if (!reply.ok)
    throw await refusal(reply);
  return await reply.json() as T;
}

export interface SwarmForm {
  user_count?: string;
  spawn_rate?: string;
  host?: string;
  run_time?: string;
  profile?: string;
  user_classes?: string[];
  shape_class?: string;
  tags?: string[];
  exclude_tags?: string[];
  /** A locustfile's own. */
  [option: string]: string | string[] | undefined;
}

/** Starts or changes a test; gives what the server says of it. */
export async function swarm(form: SwarmForm): Promise<string> {
  const reply = await ask("swarm", {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(form),
  });

  if (!reply.ok)
    throw await refusal(reply);
  const said = await reply.json() as {success: boolean; message: string};
  if (!said.success)
    throw new Refusal(said.message);
  return said.message;
}

export async function stop(): Promise<void> {
  const reply = await ask("stop", {}, STOP_DEADLINE_MS);

  if (!reply.ok)
    throw await refusal(reply);
}

export async function reset(): Promise<void> {
  const reply = await ask("stats/reset", {});

  if (!reply.ok)
    throw await refusal(reply);
}

export interface ClassChange {
  user_class_name: string;
  weight: number;
  fixed_count: number;
  host?: string; // Empty: back to the test's.
  tasks: string[];
}

export async function changeClass(change: ClassChange): Promise<void> {
  const reply = await ask("user", {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(change),
  });

  if (!reply.ok)
    throw await refusal(reply);
}

/** What to tell people of a failed call. */
export function explain(error: unknown): string {
  return error instanceof Refusal ? error.message : "The load generator does not answer.";
}

export function isBusy(state: State | undefined): boolean {
  return state === "spawning" || state === "running" || state === "stopping";
}
