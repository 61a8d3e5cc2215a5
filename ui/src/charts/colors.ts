// SPDX-License-Identifier: MIT
//
// colors - colours of style/base.css for canvases, as the present theme has them.

const seen = new Map<string, string>();
let probe: HTMLElement | undefined;

/** What "--ink" is now. */
export function color(name: string): string {
  const key = `${name} ${document.documentElement.dataset.theme ?? ""} ` +
    String(window.matchMedia("(prefers-color-scheme: dark)").matches);
  let value = seen.get(key);

  if (value === undefined) {
    if (!probe) {
      probe = document.createElement("span");
      probe.hidden = true;
      document.body.append(probe);
    }
    probe.style.color = `var(${name})`;
    value = getComputedStyle(probe).color;
    seen.set(key, value);
  }
  return value;
}
