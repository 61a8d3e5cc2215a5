// SPDX-License-Identifier: MIT
//
// Matrix - a report as a page: the answer, then the grid, the curves, the rows, and where they come
// from.
import {useCallback, useMemo, useState} from "preact/hooks";

import {Answers} from "./Answers";
import {Background} from "./Background";
import {Curves} from "./Curves";
import {Details} from "./Details";
import {Heat} from "./Heat";
import {Grid, figure} from "./report";
import type {Cell, Report, Row} from "./report";
import {Rows} from "./Rows";

export function Matrix({report, now}: {report: Report; now?: Cell | undefined}) {
  const grid = useMemo(() => new Grid(report), [report]);
  const [opened, setOpened] = useState<number>();
  const row = report.rows.find(({scenario}) => scenario === opened);
  const open = useCallback((one: Row) => setOpened(one.scenario), []);
  const openCell = useCallback((cell: Cell) => setOpened(cell.rows.at(-1)?.scenario), []);

  return <>
    <Answers report={report} onOpen={open}/>
    {grid.users.length > 0 && <Heat grid={grid} now={now} onOpen={openCell}/>}
    <Curves grid={grid} onOpen={openCell}/>
    <Rows rows={report.rows} glossary={report.glossary} onOpen={open}/>
    <Background report={report}/>
    {row && <Details row={row} glossary={report.glossary} onOpen={open} onClose={() => setOpened(undefined)}
      siblings={grid.at(figure(row, "Replicas")!, figure(row, "Workers")!, figure(row, "Users")!).rows}/>}
  </>;
}
