// SPDX-License-Identifier: MIT
//
// Logs - the last lines of this process and of its workers.
import {useState} from "preact/hooks";

import type {Logs as Lines} from "../api";
import {matches, number} from "../format";
import {usePoll} from "../poll";

const POLL_MS = 5000;

/** "[time] host/LEVEL/logger: text" */
function level(line: string): string {
  const found = /^\[[^\]]*\] \S*\/(WARNING|ERROR|CRITICAL)\//.exec(line);

  return found ? found[1]!.toLowerCase() : "";
}

function Text({lines, filter}: {lines: string[]; filter: string}) {
  const shown = filter ? lines.filter((line) => matches(filter, line)) : lines;

  return <pre class="log" tabIndex={0}>{shown.map((line, i) =>
    <span key={i} class={level(line)}>{line}{"\n"}</span>)}</pre>;
}

export function Logs() {
  const [filter, setFilter] = useState("");
  const logs = usePoll<Lines>("logs", POLL_MS).value;
  const workers = Object.entries(logs?.workers ?? {});

  return <>
    <div class="tools">
      <input type="search" aria-label="Only lines with" placeholder="Filter lines" value={filter}
             onInput={(event) => setFilter(event.currentTarget.value)}/>
    </div>
    {workers.length > 0 && <h2>Master</h2>}
    {logs && <Text lines={logs.master} filter={filter}/>}
    {workers.length > 0 && <h2>Workers</h2>}
    {workers.map(([id, lines]) => <details key={id} class="worker-log">
      <summary><bdi>{id}</bdi>
        <span class="quiet">{lines.length === 1 ? "1 line" : `${number(lines.length)} lines`}</span>
        {lines.some((line) => level(line)) && <span class="badge">!</span>}</summary>
      <Text lines={lines} filter={filter}/>
    </details>)}
  </>;
}
