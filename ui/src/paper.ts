// SPDX-License-Identifier: MIT
//
// paper - what a page does before it is printed; the rest is in style/print.css.

/** How wide a chart is there: A4 between its margins. */
export const PAPER_PX = 680;

/** Begins before and ends, by what begin() gave, after the page is printed. Gives how to forget it. */
export function onPaper(begin: () => () => void): () => void {
  let end: (() => void) | undefined;
  const before = () => {
    end ??= begin();
  };
  const after = () => {
    end?.();
    end = undefined;
  };

  window.addEventListener("beforeprint", before);
  window.addEventListener("afterprint", after);
  return () => {
    window.removeEventListener("beforeprint", before);
    window.removeEventListener("afterprint", after);
  };
}
