// SPDX-License-Identifier: MIT
//
// Tabs - one of several panels; which one is part of the address (?tab=), so it can be linked to.
import type {ComponentChildren} from "preact";
import {useEffect, useState} from "preact/hooks";

export interface Tab {
  id: string;
  label: string;
  badge?: string | undefined; // Says how much there is to see.
  panel: () => ComponentChildren;
}

function fromAddress(): string {
  return new URLSearchParams(location.search).get("tab") ?? "";
}

export function Tabs({label, tabs}: {label: string; tabs: Tab[]}) {
  const [wanted, setWanted] = useState(fromAddress);
  const at = Math.max(tabs.findIndex((tab) => tab.id === wanted), 0);

  // A narrow window shows some of them.
  useEffect(() => document.getElementById(`tab-${tabs[at]!.id}`)
    ?.scrollIntoView({block: "nearest", inline: "nearest"}), [at]);

  function open(index: number) {
    const id = tabs[index]!.id, query = new URLSearchParams(location.search);

    query.set("tab", id);
    history.replaceState(null, "", `?${query}`);
    setWanted(id);
  }

  function onKey(event: KeyboardEvent) {
    const count = tabs.length;
    const to = {ArrowRight: (at + 1) % count, ArrowLeft: (at + count - 1) % count, Home: 0,
                End: count - 1}[event.key];

    if (to === undefined)
      return;
    event.preventDefault();
    open(to);
    document.getElementById(`tab-${tabs[to]!.id}`)?.focus();
  }

  return <>
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKey}>
      {tabs.map((tab, i) =>
        <button key={tab.id} id={`tab-${tab.id}`} role="tab" aria-selected={i === at}
                aria-controls="panel" tabIndex={i === at ? 0 : -1} onClick={() => open(i)}>
          {tab.label}{tab.badge && <span class="badge">{tab.badge}</span>}
        </button>)}
    </div>
    <section id="panel" class="panel" role="tabpanel" aria-labelledby={`tab-${tabs[at]!.id}`}>
      {tabs[at]!.panel()}
    </section>
  </>;
}
