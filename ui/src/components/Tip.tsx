// SPDX-License-Identifier: MIT
//
// Tip - says more about a word while the pointer or the keyboard is on it; Escape takes it away.
// It is placed by the window, so nothing that scrolls cuts it off.
import type {ComponentChildren} from "preact";
import {useEffect, useId, useLayoutEffect, useRef, useState} from "preact/hooks";

const MARGIN_PX = 8;

export function Tip({text, children}: {text: string; children: ComponentChildren}) {
  const [isShown, show] = useState(false);
  const root = useRef<HTMLSpanElement>(null), tip = useRef<HTMLSpanElement>(null);
  const id = useId();

  // Before it is painted: it stands in its place at once, and an Escape right away is heard.
  useLayoutEffect(() => {
    if (!isShown)
      return;
    const word = root.current!.getBoundingClientRect(), at = tip.current!;
    const left = Math.min(word.left, innerWidth - at.offsetWidth - MARGIN_PX);
    const isBelow = word.bottom + at.offsetHeight + MARGIN_PX < innerHeight;
    const onKey = (event: KeyboardEvent) => event.key === "Escape" && show(false);

    at.style.left = `${Math.max(left, MARGIN_PX)}px`;
    at.style.top = `${isBelow ? word.bottom + 4 : word.top - at.offsetHeight - 4}px`;
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [isShown]);

  // Afterwards: what brought the word into view has scrolled, too.
  useEffect(() => {
    if (!isShown)
      return;
    const onScroll = () => show(false);

    document.addEventListener("scroll", onScroll, true);
    return () => document.removeEventListener("scroll", onScroll, true);
  }, [isShown]);

  return <span ref={root} class="tipped" aria-describedby={isShown ? id : undefined}
               onMouseEnter={() => show(true)} onMouseLeave={() => show(false)}
               onFocusCapture={() => show(true)} onBlurCapture={() => show(false)}>
    {children}
    {isShown && <span ref={tip} id={id} role="tooltip" class="tip">{text}</span>}
  </span>;
}
