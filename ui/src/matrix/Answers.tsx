// SPDX-License-Identifier: MIT
//
// Answers - what was asked of the matrix and what it says, before anything else.
import {useRef, useState} from "preact/hooks";

import {figureText, rangeText, valueText} from "./figures";
import {Mark} from "./Mark";
import {figure, isOk, isSearch, rowText, rowVerdict} from "./report";
import type {Answer, Report, Row, Term, Verdict} from "./report";

/** Without a clipboard (an old browser, a forbidden one) the text is at least selected. */
async function copy(text: string, shown: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return false;
  }
}

function Snippet({name, text}: {name: string; text: string}) {
  const shown = useRef<HTMLPreElement>(null);
  const [said, say] = useState("");

  async function onCopy() {
    say(await copy(text, shown.current!) ? "Copied" : "Selected: press Ctrl+C");
  }

  return <details class="snippet">
    <summary><bdi>{name}</bdi></summary>
    <p class="tools"><button class="small" onClick={onCopy} aria-label={`Copy ${name}`}>Copy</button>
      <span role="status" class="quiet">{said}</span></p>
    <pre ref={shown} tabIndex={0} aria-label={name}>{text}</pre>
  </details>;
}

/** What the generator could do is no capacity of the target, nor is what contradicts itself. */
function standsBack(row: Row): boolean {
  return row.words.Generator === "limited" || row.words.Verdict === "invalid";
}

function best(rows: Row[], name: string, sign: 1 | -1): Row | undefined {
  const measured = rows.filter((row) => isOk(row) && figure(row, name) !== null);
  const believed = measured.filter((row) => !standsBack(row));

  return (believed.length ? believed : measured).reduce<Row | undefined>((one, row) =>
    !one || sign * figure(row, name)! > sign * figure(one, name)! ? row : one, undefined);
}

function BestRow({label, name, row, onOpen}: {label: string; name: string; row: Row | undefined; onOpen: (row: Row) => void}) {
  return <div><dt>{label}</dt><dd>{row ? <>
    {figureText(row.figures[name])} <Mark verdict={rowVerdict(row)}/>
    <button class="link" onClick={() => onOpen(row)}>{rowText(row)}</button></> : "\u2013"}</dd></div>;
}

function Facts({report, onOpen}: {report: Report; onOpen: (row: Row) => void}) {
  const {rows, plan} = report;
  const count = (verdict: Verdict) => rows.filter((row) => rowVerdict(row) === verdict).length;

  return <dl class="facts">
    <div><dt>Rows</dt><dd>{report.rows_recorded} of {isSearch(report) && "at most "}{plan.scenarios.value}</dd></div>
    {(["valid", "suspect", "invalid", "failed"] as const).filter(count).map((verdict) =>
      <div key={verdict}><dt><Mark verdict={verdict}/></dt><dd>{count(verdict)}</dd></div>)}
    <BestRow label="Highest throughput" name="RPS" row={best(rows, "RPS", 1)} onOpen={onOpen}/>
    <BestRow label="Lowest median" name="Median_ms" row={best(rows, "Median_ms", -1)} onOpen={onOpen}/>
  </dl>;
}

function Capacities({levels, terms}: {levels: Answer[]; terms: Term[]}) {
  const meaning = (name: string) => terms.find((term) => term.name === name)?.meaning;
  const has = (name: string) => levels.some(({figures}) => figures[name]);
  return <div class="scroll" tabIndex={0} role="region" aria-label="Capacities"><table>
    <thead><tr><th scope="col" class="n">Replicas</th><th scope="col" class="n" title={meaning("Capacity")}>Capacity (requests/s)</th>
      <th scope="col" class="n">Interval (95 %)</th><th scope="col" class="n">Users</th>
      {has("Planned_Users") && <th scope="col" class="n" title={meaning("Planned_Users")}>Plan for (users)</th>}
      <th scope="col" class="n" title={meaning("Efficiency")}>Efficiency (%)</th>
      {has("Knee_Users") && <th scope="col" class="n" title={meaning("Knee_Users")}>Knee (users)</th>}</tr></thead>
    <tbody>{levels.map(({asked, is_floor, figures: {Replicas, Capacity, Users, Efficiency, ...more}}) => <tr key={asked}>
      <th scope="row" class="n">{valueText(Replicas?.value, "replicas")}</th>
      <td class="n">{is_floor && "at least "}{valueText(Capacity?.value, "requests/s")}</td>
      <td class="n">{Capacity && rangeText(Capacity)}</td>
      <td class="n">{valueText(Users?.value, "users")}</td>
      {has("Planned_Users") && <td class="n">{valueText(more.Planned_Users?.value, "users")}</td>}
      <td class="n">{valueText(Efficiency?.value, "%")}</td>
      {has("Knee_Users") && <td class="n">{valueText(more.Knee_Users?.value, "users")}</td>}</tr>)}</tbody></table></div>;
}

export function Answers({report, onOpen}: {report: Report; onOpen: (row: Row) => void}) {
  const {answers} = report;
  const of = (question: string) => answers.find((answer) => answer.question === question);
  const levels = answers.filter(({question}) => question === "capacity");
  const law = of("scalability_law");
  const lines = [answers[0], of("slo"), levels[0], of("trust")].filter((answer, i, all) =>
    answer && all.indexOf(answer) === i) as Answer[];

  return <section class="panel answers" aria-labelledby="answers">
    <h2 id="answers">Answer</h2>
    {!report.rows.length && <p class="lead">Nothing has been measured yet.</p>}
    {report.rows.length > 0 && lines.map((answer, i) =>
      <p key={answer.question} class={`${i ? "" : "lead"} ${answer.is_known ? "" : "unknown"}`}
         data-question={answer.question}>{answer.text}</p>)}
    <Facts report={report} onOpen={onOpen}/>
    {levels.length > 0 && <Capacities levels={levels} terms={report.glossary_of_answers}/>}
    {law && report.rows.length > 0 && <p class="quiet law">{law.text}{Object.entries(law.figures).map(([name, one]) =>
      ` ${name.replaceAll("_", " ")}: ${figureText(one)}${one.low !== undefined ? ` (${rangeText(one)})` : ""}.`)}</p>}
    {answers.flatMap(({snippets}) => snippets ?? []).map((snippet) => <Snippet key={snippet.name} {...snippet}/>)}
  </section>;
}
