// SPDX-License-Identifier: MIT
//
// main - the page of a matrix: a report that is in the page itself, or the driver that runs.
import {render} from "preact";

import "../style/base.css";
import "../style/head.css";
import "../style/print.css";
import "./matrix.css";
import {startTheme} from "../theme";
import {Live} from "./Live";
import {Saved} from "./Saved";

const saved = document.getElementById("report")?.textContent;

startTheme();
render(saved ? <Saved report={JSON.parse(saved)}/> : <Live/>, document.body);
