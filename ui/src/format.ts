// SPDX-License-Identifier: MIT
//
// format - numbers and times as people read them; nothing known is a dash.

const NONE = "\u2013";
const formats = new Map<number, Intl.NumberFormat>();

export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value))
    return NONE;
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat("en", {minimumFractionDigits: digits, maximumFractionDigits: digits});
    formats.set(digits, format);
  }
  return format.format(value);
}

/** Whole from 100 on: below, a part of a millisecond says something. */
export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value))
    return NONE;
  if (value >= 100 || value === Math.trunc(value))
    return number(value);
  return number(value, value < 1 ? 3 : value < 10 ? 2 : 1);
}

export function percent(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined ? NONE : `${number(share * 100, digits)} %`;
}

export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;

  for (; value >= 1000 && at < units.length - 1; at++)
    value /= 1000;
  return `${number(value, at && value < 100 ? 1 : 0)} ${units[at]}`;
}

/** A moment, given in unix seconds, where the reader is. */
export function moment(unix: number | null, withZone = false): string {
  return unix ? new Date(unix * 1000).toLocaleString(undefined, withZone ? {timeZoneName: "short"} : {}) : NONE;
}

/** So long, in its two largest units. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds), days = Math.floor(whole / 86400);
  const hours = Math.floor(whole / 3600) % 24, minutes = Math.floor(whole / 60) % 60;

  return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes} min`
    : minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** The time of the day where the reader is, with the day where it is midnight. */
export function clock(unix: number, withSeconds: boolean): string {
  const at = new Date(unix * 1000), two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;

  if (withSeconds)
    return `${time}:${two(at.getSeconds())}`;
  return time === "00:00" ? `${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}` : time;
}

/** A URL as it may be seen by who looks over a shoulder: without user and password. */
export function withoutUser(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, "$1");
}

/** Whether one of the texts has what is typed into a filter. */
export function matches(filter: string, ...texts: string[]): boolean {
  const wanted = filter.trim().toLowerCase();

  return texts.some((text) => text.toLowerCase().includes(wanted));
}

/** For places that hold one short line. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}\u2026` : text;
}
