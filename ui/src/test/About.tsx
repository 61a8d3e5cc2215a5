// SPDX-License-Identifier: MIT
//
// About - what this is, and where programs find the same.
import type {Settings} from "../api";
import {Dialog} from "../components/Dialog";
import {moment} from "../format";

export function About({settings, onClose}: {settings: Settings | undefined; onClose: () => void}) {
  return <Dialog title={`Cicada ${settings?.version ?? ""}`} onClose={onClose}>
    <p>A distributed HTTP load tester. This process was started
      at {moment(settings?.process_start ?? null)}.</p>
    <ul>
      <li><a href="openapi.json">openapi.json</a>: what this page asks, for programs</li>
      <li><a href="metrics">metrics</a>: the test for Prometheus</li>
    </ul>
  </Dialog>;
}
