// SPDX-License-Identifier: MIT
//
// main - the page of a test.
import {render} from "preact";

import "../style/base.css";
import "../style/head.css";
import "./test.css";
import {startTheme} from "../theme";
import {App} from "./App";

startTheme();
render(<App/>, document.body);
