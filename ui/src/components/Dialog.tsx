// SPDX-License-Identifier: MIT
//
// Dialog - a window on the page that takes the keyboard until it is closed.
import type {ComponentChildren} from "preact";
import {useEffect, useId, useRef} from "preact/hooks";

export function Dialog({title, onClose, children}:
                       {title: string; onClose: () => void; children: ComponentChildren}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const at = dialog.current!;
    at.showModal();
    return () => at.close();
  }, []);
  return <dialog ref={dialog} aria-labelledby={id} onCancel={(event) => {
    event.preventDefault();
    // That of a dialog inside this one is not meant for it.
    if (event.target === dialog.current)
      onClose();
  }}>
    <header class="dialog-head">
      <h2 id={id}>{title}</h2>
      <button type="button" class="icon" aria-label="Close" onClick={onClose}>{"\u00d7"}</button>
    </header>
    {children}
  </dialog>;
}
