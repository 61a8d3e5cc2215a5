// SPDX-License-Identifier: MIT
//
// theme - dark or light: what the reader's system prefers, until the switch says otherwise. The
// colours themselves are in style/base.css.
import {useEffect, useState} from "preact/hooks";

import {keep, readKept} from "./kept";
import {onPaper} from "./paper";

export type Theme = "light" | "dark";

const system = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function chosen(): Theme | null {
  const kept = readKept("theme");

  return kept === "light" || kept === "dark" ? kept : null;
}

export function theme(): Theme {
  const set = document.documentElement.dataset.theme;

  return set === "light" || set === "dark" ? set : system.matches ? "dark" : "light";
}

function tell() {
  for (const listener of listeners)
    listener();
}

/** Call once, before anything is shown; what is asked for comes before what is kept. */
export function startTheme(asked?: Theme | null): void {
  const first = asked ?? chosen();

  if (first)
    document.documentElement.dataset.theme = first;
  system.addEventListener("change", tell);
  onPaper(() => {
    const {dataset} = document.documentElement, shown = dataset.theme;

    dataset.theme = "light";
    return () => {
      if (shown)
        dataset.theme = shown;
      else
        delete dataset.theme;
    };
  });
}

export function useTheme(): Theme {
  const [now, set] = useState(theme);

  useEffect(() => {
    const listener = () => set(theme());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return now;
}

export function ThemeSwitch() {
  const now = useTheme();
  const other = now === "dark" ? "light" : "dark";

  function change() {
    document.documentElement.dataset.theme = other;
    keep("theme", other);
    tell();
  }

  return <button class="icon" onClick={change} aria-label={`Use the ${other} theme`}
                 title={`Use the ${other} theme`}>{now === "dark" ? "\u2600" : "\u263e"}</button>;
}
