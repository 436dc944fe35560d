// The ring of a data queue: edges, the way round, no room, and offsets that somebody else has broken.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { putU32le } from "../base/bytes.ts";
import { IOReturns } from "../base/io-return.ts";
import { Random } from "../base/random.ts";
import { type DataQueueEntry, IODataQueueDispatchSource } from "./data-queue.ts";
import { IODispatchQueue } from "./dispatch-queue.ts";
import { Process } from "./process.ts";
import { Scheduler } from "./scheduler.ts";

function newQueue(byteCount: number): IODataQueueDispatchSource {
  const scheduler = new Scheduler(new Random(1), () => nextTurn());
  const process = new Process(
    9,
    { kind: "dext", name: "dext", bundleIdentifier: "d", teamIdentifier: "", entitlements: {}, path: "/d" },
    scheduler,
    () => {},
  );
  const made = IODataQueueDispatchSource.create(
    byteCount,
    IODispatchQueue.create(process, "Default"),
    process.memory,
  );
  assert.ok(made.value);
  return made.value;
}

/** Puts `text`; a code when there is no room, else whether the reader must be told. */
function put(queue: IODataQueueDispatchSource, text: string): boolean | number {
  const bytes = new TextEncoder().encode(text);
  const entry = queue.room(bytes.length);
  if (typeof entry === "number") return entry;
  queue.memory.bytes.set(bytes, entry.offset);
  return queue.put(entry);
}

function take(queue: IODataQueueDispatchSource): string | number {
  const entry = queue.oldest();
  if (typeof entry === "number") return entry;
  const { length, offset } = entry;
  const text = new TextDecoder().decode(queue.memory.bytes.subarray(offset, offset + length));
  queue.take(entry);
  return text;
}

test("the reader is told at the edge from empty to not empty, and drains in order", () => {
  const queue = newQueue(64);
  assert.deepEqual([put(queue, "a"), put(queue, "bcdef"), put(queue, "")], [true, false, false]);
  assert.ok(queue.isDataAvailable);
  assert.deepEqual(
    [take(queue), take(queue), take(queue), take(queue)],
    ["a", "bcdef", "", IOReturns.kIOReturnUnderrun],
  );
  assert.equal(put(queue, "again"), true);
});

test("an entry never lies in two pieces, whatever the sizes; what is refused says so, and room is told of once", () => {
  const random = new Random(7);
  for (const size of [16, 24, 64, 100, 512]) {
    const queue = newQueue(size);
    const waiting: string[] = [];
    let refused = 0;
    for (let turn = 0; turn < 3000; turn++) {
      if (random.below(2) === 0) {
        const text = "x".repeat(random.below(Math.min(60, size))) + String(turn % 10);
        const answer = put(queue, text);
        if (typeof answer === "number") {
          assert.equal(answer, IOReturns.kIOReturnOverrun);
          assert.equal(queue.canEnqueue(text.length), IOReturns.kIOReturnOverrun);
          queue.noteOverrun();
          refused++;
        } else {
          assert.equal(answer, waiting.length === 0);
          waiting.push(text);
        }
      } else if (waiting.length > 0) assert.equal(take(queue), waiting.shift());
      else assert.equal(take(queue), IOReturns.kIOReturnUnderrun);
    }
    assert.ok(refused > 0, `${size} bytes were never full`);
  }
  const queue = newQueue(16);
  put(queue, "12345678");
  assert.equal(put(queue, "no room"), IOReturns.kIOReturnOverrun);
  queue.noteOverrun();
  assert.equal(queue.take(queue.oldest() as DataQueueEntry), true);
  put(queue, "1");
  assert.equal(queue.take(queue.oldest() as DataQueueEntry), false, "told of once");
});

test("offsets and sizes that another process has broken are refused, never followed", () => {
  const queue = newQueue(64);
  put(queue, "abc");
  for (const [at, value, room, read] of [
    [4, 68, IOReturns.kIOReturnUnderrun, IOReturns.kIOReturnError],
    [4, 3, IOReturns.kIOReturnUnderrun, IOReturns.kIOReturnError],
    [128, 0xffff_fff0, null, IOReturns.kIOReturnError],
  ] as const) {
    const before = queue.memory.bytes.slice();
    putU32le(queue.memory.bytes, at, value);
    if (room !== null) assert.equal(queue.room(1), room);
    assert.equal(queue.oldest(), read);
    queue.memory.bytes.set(before);
  }
  for (const byteCount of [0, 6, 2 ** 32])
    assert.equal(
      IODataQueueDispatchSource.create(byteCount, queue.queue, queue.queue.process.memory).status,
      IOReturns.kIOReturnBadArgument,
    );
});

test("room for several entries is counted over the ring's end", () => {
  const queue = newQueue(64);
  assert.deepEqual([queue.canEnqueue(12, 4), queue.canEnqueue(12, 5)], [0, IOReturns.kIOReturnOverrun]);
  for (let count = 0; count < 3; count++) put(queue, "123456789012");
  take(queue);
  take(queue);
  assert.deepEqual([queue.canEnqueue(12, 2), queue.canEnqueue(12, 3)], [0, IOReturns.kIOReturnOverrun]);
});
