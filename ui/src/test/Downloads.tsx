// SPDX-License-Identifier: MIT
//
// Downloads - the test as files.
import {useTheme} from "../theme";

export function Downloads({hasFullHistory}: {hasFullHistory: boolean}) {
  const theme = useTheme();

  return <ul class="downloads">
    <li><a href="stats/requests/csv" download>Requests</a> <span class="quiet">CSV</span></li>
    <li><a href="stats/failures/csv" download>Failures</a> <span class="quiet">CSV</span></li>
    <li><a href="exceptions/csv" download>Exceptions</a> <span class="quiet">CSV</span></li>
    <li>{hasFullHistory
      ? <><a href="stats/requests_full_history/csv" download>Statistics over time</a>{" "}
        <span class="quiet">CSV</span></>
      : <span class="quiet">Statistics over time: start with --csv PREFIX --csv-full-history</span>}</li>
    <li><a href="stats/requests" download="requests.json">Statistics</a>{" "}
      <span class="quiet">JSON</span></li>
    <li><a href="stats/window" download="window.json">The measured window</a>{" "}
      <span class="quiet">JSON, in full resolution</span></li>
    <li><a href={`stats/report?theme=${theme}`} target="_blank">Report</a>{" "}
      <span class="quiet">HTML, in a new tab</span></li>
    <li><a href="stats/report?download=1" download>Report</a>{" "}
      <span class="quiet">HTML, as a file</span></li>
  </ul>;
}
