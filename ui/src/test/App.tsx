// SPDX-License-Identifier: MIT
//
// App - the whole page: what is always in sight, and below it the form before the first test or
// the tabs.
import {useEffect, useState} from "preact/hooks";

import {explain, isBusy, reset, stop} from "../api";
import type {Exception, Requests, Settings, Window} from "../api";
import {Tabs} from "../components/Tabs";
import type {Tab} from "../components/Tabs";
import {number} from "../format";
import {usePoll} from "../poll";
import {About} from "./About";
import {Charts} from "./Charts";
import {Downloads} from "./Downloads";
import {Exceptions} from "./Exceptions";
import {Failures} from "./Failures";
import {Head} from "./Head";
import {Latency} from "./Latency";
import {Logs} from "./Logs";
import {Notices} from "./Notices";
import {Ratio} from "./Ratio";
import {StartDialog, StartForm} from "./StartForm";
import {Statistics} from "./Statistics";
import {Workers} from "./Workers";
import {useRestart} from "./restart";
import {useTrack} from "./useTrack";

const POLL_MS = 2000;
const SELDOM_MS = 5000;

function count(value: number | undefined): string | undefined {
  return value ? number(value) : undefined;
}

export function App() {
  const requests = usePoll<Requests>("stats/requests", POLL_MS);
  const {settings, restarted} = useRestart(requests);
  const now = requests.value, busy = isBusy(now?.state);
  const measured = usePoll<Window>(now && now.state !== "ready" ? "stats/window" : undefined, SELDOM_MS);
  const exceptions = usePoll<{exceptions: Exception[]}>("exceptions", SELDOM_MS);
  const tracked = useTrack(now, restarted);
  const [dialog, setDialog] = useState<"start" | "about">();
  const [isStopping, setStopping] = useState(false);
  const [failure, setFailure] = useState<string>();

  useEffect(() => {
    document.title = (busy ? `${number(now?.current_rps, 1)} req/s \u2013 ` : "") + "Cicada";
  });

  async function act(call: () => Promise<void>) {
    setFailure(undefined);
    try {
      await call();
    } catch (error) {
      setFailure(explain(error));
    }
    requests.refresh();
    exceptions.refresh();
    measured.refresh();
  }

  async function onStop() {
    setStopping(true);
    await act(stop);
    setStopping(false);
  }

  function onStarted() {
    setDialog(undefined);
    setFailure(undefined);
    settings.refresh();
    requests.refresh();
  }

  return <>
    <Head requests={now} settings={settings.value} isStopping={isStopping}
          onEdit={() => setDialog("start")} onStop={onStop} onReset={() => void act(reset)}/>
    <main>
      <Notices requests={requests} settings={settings.value} window={measured.value}
               failure={failure} restarted={restarted}/>
      {now && settings.value && (now.state === "ready"
        ? <section class="panel start">
            <StartForm settings={settings.value} requests={now} onStarted={onStarted}
                       onClasses={settings.refresh}/></section>
        : <Tabs label="Views of the test" tabs={tabs(now, settings.value)}/>)}
    </main>
    <footer>
      <button class="link" onClick={() => setDialog("about")}>Cicada {settings.value?.version}</button>
    </footer>
    {dialog === "start" && now && settings.value &&
      <StartDialog settings={settings.value} requests={now} onStarted={onStarted}
                   onClasses={settings.refresh} onClose={() => setDialog(undefined)}/>}
    {dialog === "about" && <About settings={settings.value} onClose={() => setDialog(undefined)}/>}
  </>;

  function tabs(now: Requests, settings: Settings): Tab[] {
    const all: (Tab | false)[] = [
      {id: "stats", label: "Statistics", panel: () => <Statistics rows={now.stats}/>},
      {id: "charts", label: "Charts", panel: () => <Charts {...tracked} rows={now.stats}/>},
      {id: "latency", label: "Latency", panel: () => <Latency rows={now.stats} isBusy={busy}/>},
      {id: "failures", label: "Failures", badge: count(now.errors.length),
       panel: () => <Failures errors={now.errors}/>},
      {id: "exceptions", label: "Exceptions", badge: count(exceptions.value?.exceptions.length),
       panel: () => <Exceptions list={exceptions.value?.exceptions ?? []}/>},
      {id: "ratio", label: "Current ratio", panel: () => <Ratio/>},
      {id: "reports", label: "Download data",
       panel: () => <Downloads hasFullHistory={settings.has_full_history}/>},
      {id: "logs", label: "Logs", panel: () => <Logs/>},
      settings.is_distributed && {id: "workers", label: "Workers", badge: count(now.worker_count),
                                  panel: () => <Workers workers={now.workers ?? []}/>},
    ];

    return all.filter((tab): tab is Tab => tab !== false);
  }
}
