// SPDX-License-Identifier: MIT
//
// Exceptions - what tasks raised.
import type {Exception} from "../api";
import {number} from "../format";

export function Exceptions({list, isOpen}: {list: Exception[]; isOpen?: boolean}) {
  if (list.length === 0)
    return <p class="empty">No task has raised an exception.</p>;
  return <ul class="exceptions">{list.map((one) =>
    <li key={one.traceback}>
      <details open={isOpen}>
        <summary><strong>{number(one.count)}{"\u00d7"}</strong> <bdi>{one.msg}</bdi>{" "}
          <span class="quiet">{one.nodes}</span></summary>
        <pre tabIndex={0}>{one.traceback}</pre>
      </details>
    </li>)}</ul>;
}
