// SPDX-License-Identifier: MIT
//
// Background - where it was measured, how, and what the words mean.
import type {Report} from "./report";

export function Background({report}: {report: Report}) {
  return <section class="panel background" aria-labelledby="background">
    <h2 id="background">How it was measured</h2>
    <details open><summary>Environment</summary>
      <dl>{report.environment.map(({name, text}, i) => <div key={i}><dt>{name}</dt><dd><bdi>{text}</bdi></dd></div>)}</dl>
    </details>
    <details open><summary>Settings</summary><pre tabIndex={0} aria-label="Settings">{report.plan.settings}</pre></details>
    <details><summary>Glossary</summary>
      <dl>{[...report.glossary, ...report.glossary_of_answers].map(({name, unit, meaning}) => <div key={name}><dt>{name}{unit && ` (${unit})`}</dt>
        <dd>{meaning.replaceAll("`", "")}</dd></div>)}</dl>
    </details>
  </section>;
}
