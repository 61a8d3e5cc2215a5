// SPDX-License-Identifier: MIT
//
// NamePicker - chooses a row of the statistics, or their sum.
import type {Row} from "../api";
import {cut} from "../format";
import {TOTAL, keyOf} from "./useTrack";

const LABEL_LENGTH = 80;

export function NamePicker({rows, value, onChange}:
                           {rows: Row[]; value: string; onChange: (key: string) => void}) {
  return <label class="inline">Requests
    <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value={TOTAL}>All</option>
      {rows.filter((row) => keyOf(row) !== TOTAL).map((row) =>
        <option key={keyOf(row)} value={keyOf(row)}>
          {cut(`${row.method} ${row.name}`, LABEL_LENGTH)}</option>)}
    </select></label>;
}
