// SPDX-License-Identifier: MIT
//
// track - the memory of the charts, over a test of a day: it does not grow, loses neither the start
// nor the last minutes, and keeps the series that are alive.
import assert from "node:assert/strict";
import {test} from "node:test";
import {fileURLToPath} from "node:url";

import {build} from "../../ui/node_modules/esbuild/lib/main.js";

async function importTypescript(path) {
  const {outputFiles: [file]} = await build({
    entryPoints: [fileURLToPath(new URL(path, import.meta.url))],
    bundle: true, write: false, format: "esm", target: "es2022",
  });

  return import(`data:text/javascript,${encodeURIComponent(file.text)}`);
}

const {Track} = await importTypescript("../../ui/src/charts/track.ts");
const START = 1700000000, STEP = 2, DAY = 86400;

test("a day at a look every 2 s", () => {
  const track = new Track();

  for (let t = 0; t < DAY; t += STEP)
    track.add(START + t, new Map([["", {rps: t}], ["GET\0/", {rps: 2 * t}]]));
  const {times} = track, values = track.values("", "rps");
  assert.ok(times.length <= 1324, `${times.length} points`);
  assert.ok(times.length >= 700, `${times.length} points`);
  assert.equal(values.length, times.length);
  assert.equal(times[0], START);
  assert.equal(times.at(-1), START + DAY - STEP);
  // Each value is still that of its time, as exactly as 32 bits allow.
  for (const [i, time] of times.entries())
    assert.ok(Math.abs(values[i] - (time - START)) < 0.01, `${time}: ${values[i]}`);
  for (let i = 1; i < times.length; i++) {
    assert.ok(times[i] > times[i - 1]);
    assert.ok(times[i] - times[i - 1] <= DAY / 256, "no hole");
  }
  // The last nine minutes as they were seen.
  assert.equal(times.filter((time) => time > START + DAY - 540).length, 540 / STEP - 1);
  assert.deepEqual(track.values("GET\0/", "rps").at(-1), 2 * (DAY - STEP));
});

test("what is not known is a gap, and a clock that goes back adds nothing", () => {
  const track = new Track();

  track.add(START, new Map([["", {rps: 1}]]));
  track.add(START + 2, new Map());
  track.add(START + 1, new Map([["", {rps: 9}]]));
  track.add(START + 4, new Map([["", {rps: 3, p50: null}]]));
  assert.deepEqual(track.times, [START, START + 2, START + 4]);
  assert.deepEqual(track.values("", "rps"), [1, null, 3]);
  assert.deepEqual(track.values("", "p50"), [null, null, null]);
  assert.deepEqual(track.values("never seen", "rps"), [null, null, null]);
});

test("names come and go, and those of now are there", () => {
  const track = new Track();

  for (let t = 0; t < 50; t++) {
    const values = new Map([["", {rps: 1}]]);
    for (let i = 0; i < 100; i++)
      values.set(`GET\0/${t}/${i}`, {rps: i});
    track.add(START + t, values);
  }
  assert.equal(track.values("GET\0/49/99", "rps").at(-1), 99);
  assert.ok(track.values("GET\0/0/0", "rps").every((value) => value === null));
  assert.equal(track.values("", "rps")[0], 1);
});
