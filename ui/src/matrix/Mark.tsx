// SPDX-License-Identifier: MIT
//
// Mark - may a figure be believed? A sign and its word, so that it does not hang on a colour.
import type {Verdict} from "./report";

const SIGNS: Record<Verdict, string> = {valid: "\u2713", suspect: "?", invalid: "!", failed: "\u2715", "": ""};
const WORDS: Record<Verdict, string> = {valid: "valid", suspect: "suspect", invalid: "invalid", failed: "not measured", "": ""};

export function Mark({verdict, isShort}: {verdict: Verdict; isShort?: boolean}) {
  if (!verdict)
    return null;
  return <span class={`mark ${verdict}`}><span aria-hidden="true">{SIGNS[verdict]}</span>
    <span class={isShort ? "unseen" : ""}> {WORDS[verdict]}</span></span>;
}
