// SPDX-License-Identifier: MIT
//
// Rows - every row with every figure, as far as the reader wants to see them.
import {useMemo} from "preact/hooks";

import {ColumnChooser} from "../components/ColumnChooser";
import {Table} from "../components/Table";
import type {Column} from "../components/Table";
import {useKeptWords} from "../kept";
import {valueText} from "./figures";
import {Mark} from "./Mark";
import {columnValue, rowVerdict} from "./report";
import type {Row, Term} from "./report";

const SHOWN = ["Replicas", "Workers", "Users", "RPS", "Median_ms", "P95_ms", "P99_ms", "Failures_Pct", "Total_Requests",
               "Status", "Verdict", "Reason"];
const STEP = 200;

function labelOf({name, unit}: Term): string {
  const words = name.replace(/_(ms|s|Pct)$/, "").replaceAll("_", " ");

  return unit === "ms" || unit === "%" || unit === "s" ? `${words} (${unit})` : words;
}

function columnOf(term: Term): Column<Row> {
  const isText = term.unit === null, {name} = term;

  return {
    key: name,
    label: labelOf(term),
    isText,
    about: `${name}${term.unit ? ` (${term.unit})` : ""}: ${term.meaning.replaceAll("`", "")}`,
    value: (row) => columnValue(row, name),
    ...(name === "Verdict" ? {show: (row: Row) => <Mark verdict={rowVerdict(row)}/>}
      : isText ? {} : {show: (row: Row) => {
        const value = columnValue(row, name);
        return typeof value === "number" ? valueText(value, term.unit) : "";
      }}),
    ...(name === "Status" ? {mark: (row: Row) => row.words.Status === "ok" ? "" : "bad"} : {}),
  };
}

/** By which a row is opened with the keyboard, too. */
const NUMBER: Column<Row> = {
  key: "Row",
  label: "Row",
  about: "The place of the scenario in the plan. Opens its details.",
  value: (row) => row.scenario,
  show: ({scenario}) => <button class="link" aria-label={`Details of row ${scenario}`}>{scenario}</button>,
};

export function Rows({rows, glossary, onOpen}: {rows: Row[]; glossary: Term[]; onOpen: (row: Row) => void}) {
  const columns = useMemo(() => glossary.map(columnOf), [glossary]);
  const [hidden, setHidden] = useKeptWords("matrix.hidden", glossary.map(({name}) => name).filter((name) =>
    !SHOWN.includes(name)));

  return <section class="panel" aria-labelledby="rows">
    <div class="tools"><h2 id="rows">Rows</h2>
      <ColumnChooser columns={columns} hidden={hidden} onChange={setHidden}/></div>
    <Table label="Rows of the matrix" columns={[NUMBER, ...columns.filter(({key}) => !hidden.includes(key))]} rows={rows} step={STEP}
           rowKey={(row) => String(row.scenario)} empty="No row yet." onOpen={onOpen}/>
  </section>;
}
