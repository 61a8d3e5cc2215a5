// SPDX-License-Identifier: MIT
//
// kept - choices of the reader that outlast the page, where the browser keeps such things.
import {useState} from "preact/hooks";

const PREFIX = "cicada.";

export function readKept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null; // Forbidden by the browser's settings.
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Then it lasts as long as the page.
  }
}

/** As useState, of a list of words. */
export function useKeptWords(name: string, preset: string[]): [string[], (words: string[]) => void] {
  const [words, set] = useState(() => {
    const text = readKept(name);
    return text === null ? preset : text.split(",").filter((word) => word);
  });

  return [words, (now) => {
    keep(name, now.join(","));
    set(now);
  }];
}
