// Memory for commands is used again under load, given back after a rest, and bounded throughout.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { IscsiBuffers, IscsiMemory } from "./iscsi-buffers.ts";

const mebibyte = 1 << 20;
const second = 1_000_000_000;

function lent(): { clock: VirtualClock; memory: IscsiMemory; buffers: IscsiBuffers; short: () => number } {
  const clock = new VirtualClock();
  let short = 0;
  const memory = new IscsiMemory(clock, () => short++);
  return { clock, memory, buffers: new IscsiBuffers(memory), short: () => short };
}

const takeAll = (buffers: IscsiBuffers, count: number): Uint8Array[] =>
  Array.from({ length: count }, () => buffers.take(mebibyte) as Uint8Array);

test("32 commands of 1 MiB at once take the same memory each time", () => {
  const { memory, buffers } = lent();
  const first = takeAll(buffers, 32);
  for (const buffer of first) buffers.give(buffer);
  assert.equal(memory.keptBytes, 32 * mebibyte);
  const second = takeAll(buffers, 32);
  assert.deepEqual(new Set(second), new Set(first));
  assert.equal(memory.keptBytes, 0);
});

test("a second without a command and all but 8 MiB is given back; while commands come, nothing is", () => {
  const { clock, memory, buffers } = lent();
  const passes = (ns: number): void => {
    const end = clock.nowNs() + ns;
    clock.runUntil(end);
    clock.advanceTo(end);
  };
  for (const buffer of takeAll(buffers, 32)) buffers.give(buffer);
  for (let times = 0; times < 5; times++) {
    passes(0.6 * second);
    buffers.give(buffers.take(mebibyte) as Uint8Array);
  }
  assert.equal(memory.keptBytes, 32 * mebibyte);
  passes(2.5 * second);
  assert.equal(memory.keptBytes, 8 * mebibyte);
});

test("what is lent and what is kept are 64 MiB together at most, whatever the sizes", () => {
  const { memory, buffers } = lent();
  for (const buffer of takeAll(buffers, 40)) buffers.give(buffer);
  const small = Array.from({ length: 900 }, () => buffers.take(100) as Uint8Array);
  assert.ok(small.every((buffer) => buffer.length === 65536));
  assert.ok(memory.lentBytes + memory.keptBytes <= 64 * mebibyte, `${memory.lentBytes} ${memory.keptBytes}`);
  for (const buffer of small) buffers.give(buffer);
  assert.ok(memory.keptBytes <= 64 * mebibyte);
});

test("beyond 64 MiB a command has to wait, and whoever serves hears of it", () => {
  const { buffers, short } = lent();
  takeAll(buffers, 64);
  assert.equal(buffers.take(1), null);
  assert.equal(short(), 1);
});

test("a connection that ends while its stream still reads gives the place back at once, the memory later", () => {
  const { memory, buffers } = lent();
  const buffer = buffers.take(mebibyte) as Uint8Array;
  buffers.over();
  assert.equal(memory.lentBytes, 0);
  buffers.give(buffer);
  assert.deepEqual([memory.lentBytes, memory.keptBytes], [0, mebibyte]);
});
