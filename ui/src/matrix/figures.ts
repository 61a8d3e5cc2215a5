// SPDX-License-Identifier: MIT
//
// figures - the values of a report as text, by their unit.
import {milliseconds, number} from "../format";
import type {Figure} from "./report";

const TWO_DIGITS = new Set(["requests/s", "%", "s", "% of a CPU"]);

export function valueText(value: number | null | undefined, unit: string | null | undefined): string {
  if (unit === "ms")
    return milliseconds(value);
  return number(value, TWO_DIGITS.has(unit ?? "") ? 2 : value && !Number.isInteger(value) ? 3 : 0);
}

export function figureText(figure: Figure | undefined): string {
  return figure ? `${valueText(figure.value, figure.unit)} ${figure.unit}` : "\u2013";
}

export function rangeText({low, high, unit}: Figure): string {
  return low === undefined || high === undefined ? "" : `${valueText(low, unit)} \u2013 ${valueText(high, unit)}`;
}

/** For a narrow place: about three digits. */
export function shortText(value: number): string {
  return number(value, value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2);
}
