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

function time(key: keyof NonNullable<Row["exact_times"]>, label: string): Column<Row> {
  return {key, label, value: (row) => row.exact_times?.[key] ?? null,
          show: (row) => milliseconds(row.exact_times?.[key])};
}

const COLUMNS: Column<Row>[] = [
  {key: "method", label: "Type", isText: true, value: (row) => row.method},
  {key: "name", label: "Name", isText: true, value: (row) => row.name},
  count("num_requests", "# Requests"),
  {...count("num_failures", "# Fails"), mark: (row) => row.num_failures ? "bad" : ""},
  time("p50", "Median (ms)"),
  time("p90", "90%ile (ms)"),
  time("p95", "95%ile (ms)"),
  time("p99", "99%ile (ms)"),
  time("p99.9", "99.9%ile (ms)"),
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
  const names = rows.filter((row) => keyOf(row) !== TOTAL);
  const shown = filter ? names.filter((row) => matches(filter, row.name, row.method)) : names;

  return <>
    <div class="tools">
      <input type="search" aria-label="Only names with" placeholder="Filter by name" value={filter}
             onInput={(event) => setFilter(event.currentTarget.value)}/>
      {filter && <span class="quiet">{number(shown.length)} of {number(names.length)}</span>}
      <ColumnChooser columns={COLUMNS.filter((column) => column.key !== "name")} hidden={hidden} onChange={setHidden}/>
    </div>
    <Table label="Statistics" columns={COLUMNS.filter((column) => !hidden.includes(column.key))}
           rows={shown} total={rows.find((row) => keyOf(row) === TOTAL)} rowKey={keyOf}
           empty={filter ? "No name has this." : "No request has ended yet."}/>
  </>;
}
