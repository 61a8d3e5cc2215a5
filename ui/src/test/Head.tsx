// SPDX-License-Identifier: MIT
//
// Head - what is always in sight: how the test is, and what can be done with it.
import type {ComponentChildren} from "preact";

import {isBusy} from "../api";
import type {Requests, Settings} from "../api";
import {Brand} from "../components/Brand";
import {number, percent, withoutUser} from "../format";
import {ThemeSwitch} from "../theme";

function Fact({name, id, children}: {name: string; id: string; children: ComponentChildren}) {
  return <div><dt>{name}</dt><dd id={id}>{children}</dd></div>;
}

export function Head({requests, settings, isStopping, onEdit, onStop, onReset}: {
  requests: Requests | undefined;
  settings: Settings | undefined;
  isStopping: boolean;
  onEdit: () => void;
  onStop: () => void;
  onReset: () => void;
}) {
  const state = requests?.state, busy = isBusy(state);
  const isShaped = settings?.is_shaped ?? true;

  return <header class="head">
    <div class="brand">
      <Brand/>
      <p><bdi>{settings?.scenario}</bdi>{settings?.host &&
        <> {"\u2192"} <bdi id="host">{withoutUser(settings.host)}</bdi></>}</p>
      <ThemeSwitch/>
    </div>
    <dl aria-label="The test">
      <Fact name="State" id="state">
        <span class={`state ${state ?? ""}`}>{state ?? "\u2026"}</span></Fact>
      <Fact name="Users" id="users">{number(requests?.user_count)}</Fact>
      {requests?.worker_count !== undefined &&
        <Fact name="Workers" id="workers">{number(requests.worker_count)}</Fact>}
      <Fact name="Requests/s" id="rps">{number(requests?.current_rps, 1)}</Fact>
      <Fact name="Failures" id="failures">
        <span class={requests?.fail_ratio ? "bad" : ""}>{percent(requests?.fail_ratio)}</span></Fact>
    </dl>
    {state && state !== "ready" && <div class="buttons">
      {busy && <button id="edit" onClick={onEdit} disabled={isShaped || state === "stopping"}
                       title={isShaped ? "The load shape decides" : ""}>Edit</button>}
      {busy && <button id="stop" class="danger" onClick={onStop} disabled={isStopping}>
        {isStopping || state === "stopping" ? "Stopping\u2026" : "Stop"}</button>}
      {!busy && <button id="new" class="main" onClick={onEdit}>New test</button>}
      <button id="reset" onClick={onReset}>Reset</button>
    </div>}
  </header>;
}
