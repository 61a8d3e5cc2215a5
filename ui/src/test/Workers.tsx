// SPDX-License-Identifier: MIT
//
// Workers - who makes the load, and how busy that keeps them.
import type {Worker} from "../api";
import {Table} from "../components/Table";
import type {Column} from "../components/Table";
import {bytes, milliseconds, number} from "../format";

const CPU_HIGH_PERCENT = 90;

/** What it is; as whom a worker of ours introduces itself is only for Locust's masters to know. */
function versionText({cicada, version}: Worker): string {
  return cicada ? `Cicada ${cicada}` : version ? `Locust ${version}` : "\u2013";
}

const COLUMNS: Column<Worker>[] = [
  {key: "index", label: "Index", value: (row) => row.index},
  {key: "id", label: "Worker", isText: true, value: (row) => row.id},
  {key: "state", label: "State", isText: true, value: (row) => row.state,
   show: (row) => <span class={`state ${row.state}`}>{row.state}</span>},
  {key: "user_count", label: "# Users", value: (row) => row.user_count,
   show: (row) => number(row.user_count)},
  {key: "cpu_usage", label: "CPU", value: (row) => row.cpu_usage,
   show: (row) => `${number(row.cpu_usage, 1)} %`,
   mark: (row) => (row.cpu_usage ?? 0) > CPU_HIGH_PERCENT ? "bad" : ""},
  {key: "memory_usage", label: "Memory", value: (row) => row.memory_usage,
   show: (row) => bytes(row.memory_usage)},
  {key: "lag_p99_ms", label: "Lag p99 (ms)", value: (row) => row.lag_p99_ms,
   show: (row) => milliseconds(row.lag_p99_ms)},
  {key: "version", label: "Version", isText: true, value: versionText},
];

export function Workers({workers}: {workers: Worker[]}) {
  return <Table label="Workers" columns={COLUMNS} rows={workers} rowKey={(row) => row.id}
                empty="No worker is connected."/>;
}
