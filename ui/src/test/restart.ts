// SPDX-License-Identifier: MIT
//
// restart - what the page knows of the process behind it, asked again when an answer comes after
// a silence: by then it may be another process, with another scenario and no test.
import {useEffect, useRef, useState} from "preact/hooks";

import type {Requests, Settings, State} from "../api";
import {usePoll} from "../poll";
import type {Polled} from "../poll";

// Another page may have changed something.
const SETTINGS_MS = 10000;

/** restarted: how often since the page was opened, and when last (unix seconds). */
export interface Restarted {
  times: number;
  at: number;
}

export function useRestart(requests: Polled<Requests>):
    {settings: Polled<Settings>; restarted: Restarted} {
  const settings = usePoll<Settings>("settings", SETTINGS_MS);
  const [restarted, setRestarted] = useState<Restarted>({times: 0, at: 0});
  const known = useRef<number | undefined>(undefined);
  const wasLost = useRef(false);
  const state = requests.value?.state, lastState = useRef<State | undefined>(undefined);
  const start = settings.value?.process_start;

  useEffect(() => {
    if (wasLost.current && !requests.error)
      settings.refresh();
    wasLost.current = requests.error !== undefined;
  }, [requests.error]);
  useEffect(() => {
    if (state && lastState.current && state !== lastState.current)
      settings.refresh();
    lastState.current = state ?? lastState.current;
  }, [state]);
  useEffect(() => {
    if (start !== undefined && known.current !== undefined && start !== known.current)
      setRestarted((last) => ({times: last.times + 1, at: start}));
    known.current = start ?? known.current;
  }, [start]);
  return {settings, restarted};
}
