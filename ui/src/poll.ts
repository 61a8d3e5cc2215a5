// SPDX-License-Identifier: MIT
//
// poll - asks a route again and again while somebody looks: not in a hidden window, and the less
// often the longer there is no answer.
import {useCallback, useEffect, useRef, useState} from "preact/hooks";

import {explain, getJson} from "./api";

const BACK_OFF_MAX_MS = 10000;

export interface Polled<T> {
  /** The last answer; stays when there is none any more. */
  value: T | undefined;
  /** Why there is no newer one. */
  error: string | undefined;
  /** Asks now. */
  refresh: () => void;
}

/** path: undefined asks nothing. A new path forgets the answer of the old one. */
export function usePoll<T>(path: string | undefined, intervalMs: number): Polled<T> {
  const [answer, setAnswer] = useState<{path?: string; value?: T; error?: string}>({});
  const now = useRef<() => void>(() => {});

  useEffect(() => {
    let timer = 0, failures = 0, isAsking = false, wantsMore = false, isOver = false;

    async function turn() {
      window.clearTimeout(timer);
      if (isAsking) {
        wantsMore = true;
        return;
      }
      isAsking = true;
      wantsMore = false;
      try {
        const value = await getJson<T>(path!);
        failures = 0;
        if (!isOver)
          setAnswer({path, value});
      } catch (error) {
        failures++;
        if (!isOver)
          setAnswer((last) => ({path, value: last.path === path ? last.value : undefined,
                                error: explain(error)}));
      }
      isAsking = false;
      if (isOver)
        return;
      if (wantsMore)
        void turn();
      else if (!document.hidden)
        timer = window.setTimeout(turn, Math.max(intervalMs,
                                                 Math.min(intervalMs * 2 ** failures,
                                                          BACK_OFF_MAX_MS)));
    }

    function onVisibility() {
      if (document.hidden)
        window.clearTimeout(timer);
      else
        void turn();
    }

    if (path === undefined)
      return;
    now.current = () => void turn();
    void turn();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      isOver = true;
      now.current = () => {};
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [path, intervalMs]);

  const refresh = useCallback(() => now.current(), []);
  const isOfPath = answer.path === path;
  return {value: isOfPath ? answer.value : undefined, error: isOfPath ? answer.error : undefined,
          refresh};
}
