// A rig as fast as it can, watched by one who keeps up and one who does not: memory flat, every row seen or counted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { findRig } from "@drydock/core/rigs/catalogue";
import { hostTurn } from "@drydock/node/host-turn";
import { RigRun } from "./lab-run.ts";
import { plainState } from "./messages.ts";
import { makeHands } from "./rig-hands.ts";
import { Watchers } from "./watchers.ts";

/** 10^8 of them, a day of the rig's time: `npm run endurance -- lab-day`. */
const rowsWanted = Number(process.env.DRYDOCK_LAB_ROWS ?? 2_000_000);
const looks = 10;
/** Virtual time between two turns of the watchers. */
const turnNs = 1e9;
const mostGrowthBytes = 48 << 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function inUse(): number {
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test(`${rowsWanted} rows of a rig, two watchers`, { timeout: 3_600_000 }, async () => {
  const entry = findRig("serial");
  assert.ok(entry !== null);
  const run = new RigRun(
    entry,
    { what: "serial", side: "bad", seed: 1, faults: [], isRunning: false },
    hostTurn,
    makeHands,
    8 << 20,
  );
  const { machine, timeline } = run.rig;
  const { scheduler } = machine;
  await scheduler.run(1e9);
  assert.equal(run.perform("open-console", ""), "");
  const watchers = new Watchers({
    run: 1,
    timeline,
    state: () => ({
      ...plainState,
      title: "serial",
      timeNs: scheduler.nowNs(),
      boxes: [],
      acts: [],
      command: "",
    }),
    act: () => "no",
  });
  const watch = (reads: boolean) => {
    const counts = { rows: 0, lost: 0, frames: 0 };
    const watcher = watchers.add({
      sendBytes: (frame) => {
        const view = new DataView(frame.buffer);
        counts.rows += view.getUint32(32, true);
        counts.lost += view.getFloat64(24, true);
        counts.frames++;
        if (reads) watcher.take('{"kind":"got"}');
      },
      sendText: () => {},
      close: () => assert.fail("nobody broke a rule"),
    });
    watcher.take('{"kind":"watch","run":0,"row":1}');
    return counts;
  };
  const [reader, sleeper] = [watch(true), watch(false)];
  const sizes: number[] = [];
  while (timeline.next <= rowsWanted) {
    await scheduler.run(scheduler.nowNs() + turnNs, () => {
      run.note();
      return false;
    });
    watchers.serve();
    if (timeline.next > ((sizes.length + 1) * rowsWanted) / (looks + 1)) sizes.push(inUse());
  }
  watchers.serve();
  assert.equal(reader.rows + reader.lost, timeline.next - 1, "who keeps up has every row, or its number");
  assert.equal(reader.lost, 0);
  assert.equal(sleeper.frames, 8, "who does not read costs its credit, and no more");
  assert.ok(sizes.length >= looks, `${sizes.length} looks`);
  const [first] = sizes.slice(1);
  for (const [index, size] of sizes.slice(1).entries())
    assert.ok(
      size - first < mostGrowthBytes,
      `look ${index}: ${Math.round(size / 1e6)} MB after ${Math.round(first / 1e6)} MB`,
    );
});
