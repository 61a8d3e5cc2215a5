// SPDX-License-Identifier: MIT
//
// Table - rows that can be sorted by any column, under a head and over a total that stay in sight.
import type {ComponentChildren} from "preact";
import {useState} from "preact/hooks";

import {number} from "../format";
import {Tip} from "./Tip";

export interface Column<Row> {
  key: string;
  label: string;
  isText?: boolean; // Else a number: to the right, and the largest first.
  value: (row: Row) => string | number | null;
  show?: (row: Row) => ComponentChildren; // Else the value.
  mark?: (row: Row) => string; // A class of the cell.
  about?: string; // What the column is, for who asks.
}

interface Sort {
  key: string;
  isDown: boolean;
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null)
    return a === b ? 0 : a === null ? -1 : 1;
  return typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
}

function sorted<Row>(rows: Row[], columns: Column<Row>[], sort: Sort | undefined): Row[] {
  const column = columns.find((one) => one.key === sort?.key);

  if (!column || !sort)
    return rows;
  const sign = sort.isDown ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare(column.value(a), column.value(b)));
}

function Cells<Row>({row, columns}: {row: Row; columns: Column<Row>[]}) {
  return <>{columns.map((column) => {
    const shown = column.show ? column.show(row) : column.value(row);
    const kind = (column.isText ? "text" : "n") + (column.mark ? ` ${column.mark(row)}` : "");
    const title = column.isText && typeof shown === "string" && shown.length > 30 ? shown : undefined;

    return <td key={column.key} class={kind} title={title}>
      {column.isText ? <bdi>{shown}</bdi> : shown}</td>;
  })}</>;
}

export function Table<Row>({label, columns, rows, total, rowKey, empty, step, onOpen}: {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  total?: Row | undefined;
  rowKey: (row: Row) => string;
  empty: string;
  step?: number; // So many rows at first, and so many more when asked.
  onOpen?: (row: Row) => void;
}) {
  const [sort, setSort] = useState<Sort>();
  const [room, setRoom] = useState(step ?? Infinity);

  // Down, up, as it came; text the other way round.
  function turn(column: Column<Row>) {
    const first = !column.isText;

    setSort(sort?.key !== column.key ? {key: column.key, isDown: first}
            : sort.isDown === first ? {key: column.key, isDown: !first} : undefined);
  }

  function order(column: Column<Row>) {
    return sort?.key !== column.key ? "none" : sort.isDown ? "descending" : "ascending";
  }

  function head(column: Column<Row>) {
    const button = <button onClick={() => turn(column)}>{column.label}</button>;

    return column.about ? <Tip text={column.about}>{button}</Tip> : button;
  }

  return <><div class="scroll" tabIndex={0} role="region" aria-label={label}>
    <table>
      <thead><tr>{columns.map((column) =>
        <th key={column.key} scope="col" class={column.isText ? "text" : "n"} aria-sort={order(column)}>
          {head(column)}
        </th>)}</tr></thead>
      <tbody>
        {sorted(rows, columns, sort).slice(0, room).map((row) =>
          <tr key={rowKey(row)} class={onOpen && "opens"} onClick={onOpen && (() => onOpen(row))}>
            <Cells row={row} columns={columns}/></tr>)}
        {rows.length === 0 && <tr><td class="empty" colSpan={columns.length}>{empty}</td></tr>}
      </tbody>
      {total && <tfoot><tr><Cells row={total} columns={columns}/></tr></tfoot>}
    </table>
  </div>
  {rows.length > room && <p class="more"><span class="quiet">{number(room)} of {number(rows.length)} rows</span>
    <button class="small" onClick={() => setRoom(room + step!)}>More</button></p>}
  </>;
}
