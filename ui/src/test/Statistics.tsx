// SPDX-License-Identifier: MIT
//
// Statistics - a row per name of request, and their sum.
import {useState} from "preact/hooks";

import type {Row} from "../api";
import {ColumnChooser} from "../components/ColumnChooser";
import {Table} from "../components/Table";
import type {Column} from "../components/Table";
import {matches, milliseconds, number} from "../format";
import {useKeptWords} from "../kept";
import {TOTAL, keyOf} from "./useTrack";

type Numeric = {[K in keyof Row]: Row[K] extends number ? K : never}[keyof Row];

function count(key: Numeric, label: string, digits = 0): Column<Row> {
  return {key, label, value: (row) => row[key], show: (row) => number(row[key], digits)};
}

function time(key: string, label: string): Column<Row> {
  return {key, label, value: (row) => row.exact_times?.[key] ?? null,
          show: (row) => milliseconds(row.exact_times?.[key])};
}

const USUAL = ["p50", "p90", "p95", "p99", "p99.9"];

/** Percentiles that the rows have: the usual ones, and what a locustfile wants besides. */
function percentiles(total: Row | undefined): Column<Row>[] {
  const keys = Object.keys(total?.exact_times ?? {}).filter((key) => key.startsWith("p"));

  return (keys.length ? keys : USUAL).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))).map((key) =>
    time(key, key === "p50" ? "Median (ms)" : `${key.slice(1)}%ile (ms)`));
}

const COUNTS: Column<Row>[] = [
  {key: "method", label: "Type", isText: true, value: (row) => row.method},
  {key: "name", label: "Name", isText: true, value: (row) => row.name},
  count("num_requests", "# Requests"),
  {...count("num_failures", "# Fails"), mark: (row) => row.num_failures ? "bad" : ""},
];
const OTHERS: Column<Row>[] = [
  {key: "avg", label: "Average (ms)", value: (row) => row.exact_times && row.avg_response_time,
   show: (row) => milliseconds(row.exact_times && row.avg_response_time)},
  time("min", "Min (ms)"),
  time("max", "Max (ms)"),
  count("avg_content_length", "Average size (bytes)"),
  count("current_rps", "Current RPS", 1),
  count("current_fail_per_sec", "Current Failures/s", 1),
];

export function Statistics({rows}: {rows: Row[]}) {
  const [filter, setFilter] = useState("");
  const [hidden, setHidden] = useKeptWords("columns.hidden", []);
  const total = rows.find((row) => keyOf(row) === TOTAL);
  const columns = [...COUNTS, ...percentiles(total), ...OTHERS];
  const names = rows.filter((row) => keyOf(row) !== TOTAL);
  const shown = filter ? names.filter((row) => matches(filter, row.name, row.method)) : names;

  return <>
    <div class="tools">
      <input type="search" aria-label="Only names with" placeholder="Filter by name" value={filter}
             onInput={(event) => setFilter(event.currentTarget.value)}/>
      {filter && <span class="quiet">{number(shown.length)} of {number(names.length)}</span>}
      <ColumnChooser columns={columns.filter((column) => column.key !== "name")} hidden={hidden} onChange={setHidden}/>
    </div>
    <Table label="Statistics" columns={columns.filter((column) => !hidden.includes(column.key))}
           rows={shown} total={total} rowKey={keyOf}
           empty={filter ? "No name has this." : "No request has ended yet."}/>
  </>;
}
