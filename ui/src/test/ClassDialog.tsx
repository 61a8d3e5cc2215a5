// SPDX-License-Identifier: MIT
//
// ClassDialog - the share of a user class, its host, and which of its tasks are drawn.
import {useState} from "preact/hooks";

import {changeClass, explain} from "../api";
import type {UserClass} from "../api";
import {Dialog} from "../components/Dialog";

export function ClassDialog({of, onClose, onSaved}:
                            {of: UserClass; onClose: () => void; onSaved: () => void}) {
  // Tasks of one name are one.
  const names = [...new Set(of.tasks.map((task) => task.name))];
  const [tasks, setTasks] = useState(() =>
    names.filter((name) => of.tasks.some((task) => task.name === name && task.is_drawn)));
  const [weight, setWeight] = useState(String(of.weight));
  const [fixed, setFixed] = useState(String(of.fixed_count));
  const [host, setHost] = useState(of.host ?? "");
  const [problem, setProblem] = useState<string>();

  function toggle(name: string) {
    setTasks(tasks.includes(name) ? tasks.filter((one) => one !== name) : [...tasks, name]);
  }

  async function onSubmit(event: SubmitEvent) {
    event.preventDefault();
    try {
      await changeClass({user_class_name: of.name, weight: Number(weight), fixed_count: Number(fixed),
                         ...host.trim() !== (of.host ?? "") && {host: host.trim()}, tasks});
      onSaved();
      onClose();
    } catch (error) {
      setProblem(explain(error));
    }
  }

  return <Dialog title={`Settings of ${of.name}`} onClose={onClose}>
    <form onSubmit={onSubmit}>
      <div class="fields">
        <label>Weight
          <input type="number" min="0" step="any" required value={weight}
                 onInput={(event) => setWeight(event.currentTarget.value)}/></label>
        <label>Fixed count (0: by weight)
          <input type="number" min="0" step="1" required value={fixed}
                 onInput={(event) => setFixed(event.currentTarget.value)}/></label>
        <label class="wide">Host of this class (empty: that of the test)
          <input type="text" inputMode="url" value={host}
                 onInput={(event) => setHost(event.currentTarget.value)}/></label>
      </div>
      <fieldset class="classes"><legend>Tasks</legend>
        <ul>{names.map((name) => <li key={name}><label class="check">
          <input type="checkbox" checked={tasks.includes(name)} onChange={() => toggle(name)}/>
          <bdi>{name}</bdi></label></li>)}</ul>
      </fieldset>
      {problem && <p class="bad" role="alert">{problem}</p>}
      <div class="buttons">
        <button type="submit" class="main" disabled={!tasks.length}>Save</button>
      </div>
    </form>
  </Dialog>;
}
