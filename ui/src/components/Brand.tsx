// SPDX-License-Identifier: MIT
//
// Brand - whose page this is.

export function Brand() {
  return <h1><svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="8"/>
    <path d="M3 8h2l1.5-4 3 8L11 8h2"/></svg>Cicada</h1>;
}
