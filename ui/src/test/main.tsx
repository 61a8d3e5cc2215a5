// SPDX-License-Identifier: MIT
//
// main - the page of a test: the one that runs, or a report that is in the page itself.
import {render} from "preact";

import "../style/base.css";
import "../style/head.css";
import "../style/print.css";
import "./test.css";
import {startTheme} from "../theme";
import {App} from "./App";
import {Saved} from "./Saved";
import type {Report} from "./Saved";

const text = document.getElementById("report")?.textContent;
const report = text ? JSON.parse(text) as Report : undefined;

startTheme(report?.theme);
render(report ? <Saved report={report}/> : <App/>, document.body);
