// SPDX-License-Identifier: MIT
//
// main - the matrix: a report in a file of its own.
import {render} from "preact";

import "../style/base.css";
import "../style/head.css";
import "./matrix.css";
import {startTheme} from "../theme";
import {Saved} from "./App";

const saved = document.getElementById("report")?.textContent;

startTheme();
if (saved)
  render(<Saved report={JSON.parse(saved)}/>, document.body);
