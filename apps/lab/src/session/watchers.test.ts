// Rows on a wire: round trip, damage, credit, those who never read, resuming, nothing lost without a number.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "@drydock/core/base/errors";
import { Random } from "@drydock/core/base/random";
import { TimelineKind } from "@drydock/core/ports/recorder";
import { Timeline } from "@drydock/core/trace/timeline";
import { plainState } from "./messages.ts";
import { decodeRows, encodeRows, type RowBatch } from "./row-frames.ts";
import { type WatchedRig, Watchers } from "./watchers.ts";

function filled(rows: number, maximumBytes = 4 << 20): Timeline {
  const timeline = new Timeline({ maximumBytes });
  add(timeline, rows);
  return timeline;
}

function add(timeline: Timeline, rows: number): void {
  for (let index = 0; index < rows; index++)
    timeline.add(
      index % 3 === 0 ? TimelineKind.usb : TimelineKind.call,
      timeline.next * 1000,
      timeline.next - 1,
      `text ${index % 5}`,
      index,
      2 ** 40 + index,
      0,
      0,
      0,
      null,
      0,
      Uint8Array.of(index & 255, 1, 2),
      0,
      index % 4,
    );
}

test("rows come back as they were; damaged frames are refused with an offset", () => {
  const timeline = filled(5000);
  const { first, lost, rows, run } = decodeRows(encodeRows(timeline, 7, 1));
  assert.deepEqual([run, first, lost, rows.length], [7, 1, 0, 4096]);
  assert.deepEqual(rows, [...timeline.rows(1)].slice(0, 4096));
  const frame = encodeRows(timeline, 7, 4980);
  const random = new Random(2);
  for (let times = 0; times < 2000; times++) {
    const damaged = frame.slice(0, random.next32() % 5 === 0 ? random.next32() % frame.length : frame.length);
    for (let change = 0; change < 3 && damaged.length > 0; change++)
      damaged[random.next32() % damaged.length] = random.next32();
    try {
      decodeRows(damaged);
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
    }
  }
});

function rigOf(timeline: Timeline): WatchedRig {
  return {
    run: 5,
    timeline,
    state: () => ({
      ...plainState,
      title: "test",
      timeNs: 0,
      boxes: [],
      acts: ["unplug"],
      command: "",
    }),
    act: (_name, value) => (value === "1" ? "" : "no"),
  };
}

/** As the form has it: first sequence, rows lost before it, rows in it. */
function headOf(frame: Uint8Array): { first: number; lost: number; count: number } {
  const view = new DataView(frame.buffer);
  return {
    first: view.getFloat64(16, true),
    lost: view.getFloat64(24, true),
    count: view.getUint32(32, true),
  };
}

/** One who reads, or does not. */
function reader(watchers: Watchers, reads: boolean, decodes = true) {
  const batches: Pick<RowBatch, "first" | "lost">[] = [];
  let rows = 0;
  const texts: string[] = [];
  let closed = 0;
  const watcher = watchers.add({
    sendBytes: (frame) => {
      if (decodes) assert.equal(decodeRows(frame).rows.length, headOf(frame).count);
      rows += headOf(frame).count;
      batches.push(headOf(frame));
      if (reads) queueMicrotask(() => watcher.take('{"kind":"got"}'));
    },
    sendText: (text) => texts.push(text),
    close: (code) => {
      closed = code;
    },
  });
  return {
    watcher,
    batches,
    texts,
    closed: () => closed,
    seen: () => rows,
    lost: () => batches.reduce((sum, batch) => sum + batch.lost, 0),
  };
}

test("50 watchers, one that never reads, one that talks nonsense: the others get every row or its number", async () => {
  const timeline = filled(0);
  const watchers = new Watchers(rigOf(timeline));
  const readers = Array.from({ length: 50 }, (_, index) => reader(watchers, index !== 3, index < 4));
  for (const { watcher } of readers) watcher.take('{"kind":"watch","run":0,"row":1}');
  for (let round = 0; round < 100; round++) {
    add(timeline, 700);
    watchers.serve();
    await Promise.resolve();
    if (round === 10) readers[4].watcher.take('{"kind":"watch","run":"x"}');
  }
  assert.equal(readers[4].closed(), 1008, "nonsense ends its own connection");
  assert.equal(readers[3].batches.length, 8, "credit is spent, and nothing waits for it");
  for (const [index, { lost, seen }] of readers.entries())
    if (index !== 3) assert.equal(seen() + lost(), timeline.next - 1, `watcher ${index}`);
  assert.equal(readers[0].lost(), 0);
  // The one that slept reads at last: it is told what it will not see.
  for (let times = 0; times < 8; times++) readers[3].watcher.take('{"kind":"got"}');
  watchers.serve();
  assert.equal(readers[3].seen() + readers[3].lost(), timeline.next - 1);
  assert.ok(readers[3].lost() > 0);
});

test("who comes back resumes at its row; of another run from what is here; acts are answered", () => {
  const timeline = filled(3000);
  const watchers = new Watchers(rigOf(timeline));
  const { batches, texts, watcher } = reader(watchers, true);
  watcher.take('{"kind":"watch","run":5,"row":2000}');
  watchers.serve();
  assert.deepEqual([batches[0].first, batches[0].lost], [2000, 0]);
  watcher.take('{"kind":"watch","run":4,"row":2000}');
  watchers.serve();
  assert.equal(batches[1].first, 1);
  watcher.take('{"kind":"act","name":"unplug","value":"1"}');
  watcher.take('{"kind":"act","name":"unplug","value":"2"}');
  watcher.take('{"kind":"act","name":"rm","value":""}');
  assert.deepEqual(
    texts.filter((text) => text.includes("said")).map((text) => JSON.parse(text).text),
    ["Done: unplug", "no", '"rm" cannot be done here'],
  );
  for (const nonsense of [
    "",
    "{",
    "[]",
    "null",
    '{"kind":"watch"}',
    "x".repeat(5000),
    '{"kind":"__proto__"}',
  ]) {
    const other = reader(watchers, true);
    other.watcher.take(nonsense);
    assert.equal(other.closed(), 1008, nonsense.slice(0, 20));
  }
});
