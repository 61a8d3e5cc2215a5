// SPDX-License-Identifier: MIT
//
// Saved - a report in a file of its own.
import {Brand} from "../components/Brand";
import {moment} from "../format";
import {ThemeSwitch} from "../theme";
import {Matrix} from "./Matrix";
import type {Report} from "./report";

export function Saved({report}: {report: Report}) {
  return <>
    <header class="head"><div class="brand"><Brand/>
      <p>Capacity matrix, written <time dateTime={report.written}>{moment(Date.parse(report.written) / 1000)}</time></p>
      <ThemeSwitch/></div></header>
    <main><Matrix report={report}/></main>
  </>;
}
