// SPDX-License-Identifier: MIT
//
// Ratio - how often each class and task is chosen, of the users that run.
import type {Ratios, Tasks} from "../api";
import {percent} from "../format";
import {usePoll} from "../poll";

const POLL_MS = 5000;

function List({ratios}: {ratios: Ratios}) {
  return <ul>{Object.entries(ratios).map(([name, {ratio, tasks}]) =>
    <li key={name}>
      <span class="share"><meter value={ratio} aria-hidden="true"></meter>{percent(ratio)}</span>
      <bdi>{name}</bdi>
      {tasks && Object.keys(tasks).length > 0 && <List ratios={tasks}/>}
    </li>)}</ul>;
}

export function Shares({tasks}: {tasks: Tasks | undefined}) {
  return <div class="ratios">
    <section aria-labelledby="per-class"><h2 id="per-class">Ratio per class</h2>
      {tasks && <List ratios={tasks.per_class}/>}</section>
    <section aria-labelledby="in-total"><h2 id="in-total">Total ratio</h2>
      {tasks && <List ratios={tasks.total}/>}</section>
  </div>;
}

export function Ratio() {
  return <Shares tasks={usePoll<Tasks>("tasks", POLL_MS).value}/>;
}
