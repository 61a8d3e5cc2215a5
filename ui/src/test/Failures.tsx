// SPDX-License-Identifier: MIT
//
// Failures - what went wrong, how often, and when.
import type {Failure} from "../api";
import {Table} from "../components/Table";
import type {Column} from "../components/Table";
import {moment, number} from "../format";

const COLUMNS: Column<Failure>[] = [
  {key: "occurrences", label: "# Failures", value: (row) => row.occurrences,
   show: (row) => number(row.occurrences)},
  {key: "method", label: "Method", isText: true, value: (row) => row.method},
  {key: "name", label: "Name", isText: true, value: (row) => row.name},
  {key: "error", label: "Message", isText: true, value: (row) => row.error, mark: () => "long"},
  {key: "first_seen", label: "First seen", value: (row) => row.first_seen, mark: () => "when",
   show: (row) => moment(row.first_seen)},
  {key: "last_seen", label: "Last seen", value: (row) => row.last_seen, mark: () => "when",
   show: (row) => moment(row.last_seen)},
];

export function Failures({errors}: {errors: Failure[]}) {
  return <Table label="Failures" columns={COLUMNS} rows={errors} empty="No request has failed."
                rowKey={(row) => `${row.method}\0${row.name}\0${row.error}`}/>;
}
