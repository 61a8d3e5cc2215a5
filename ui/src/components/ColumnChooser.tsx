// SPDX-License-Identifier: MIT
//
// ColumnChooser - which columns of a table are shown.

export function ColumnChooser({columns, hidden, onChange}: {
  columns: {key: string; label: string}[];
  hidden: string[];
  onChange: (hidden: string[]) => void;
}) {
  return <details class="chooser">
    <summary>Columns</summary>
    <div class="choices">{columns.map((column) =>
      <label key={column.key} class="check">
        <input type="checkbox" checked={!hidden.includes(column.key)}
               onChange={() => onChange(hidden.includes(column.key)
                                        ? hidden.filter((key) => key !== column.key)
                                        : [...hidden, column.key])}/>{column.label}</label>)}</div>
  </details>;
}
