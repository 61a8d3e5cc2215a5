// SPDX-License-Identifier: MIT
//
// theme - dark or light: what the reader's system prefers, until the switch says otherwise. The
// colours themselves are in style/base.css.
import {useEffect, useState} from "preact/hooks";

import {keep, readKept} from "./kept";

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

/** Call once, before anything is shown. */
export function startTheme(): void {
  const kept = chosen();

  if (kept)
    document.documentElement.dataset.theme = kept;
  system.addEventListener("change", tell);
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
