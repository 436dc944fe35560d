// Edges of virtual time: causes, limits, instants, handles that are used again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "./random.ts";
import { VirtualClock } from "./virtual-clock.ts";

const nothing = (): void => {};

test("a call runs with the cause of the moment in which it was given", () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  const note = (): void => void seen.push(clock.cause);
  clock.cause = 7;
  clock.after(5, note, null);
  clock.cause = 9;
  const taken: number[] = [];
  clock.after(6, note, null);
  clock.cause = 0;
  clock.step();
  clock.takeNextInstant(100, (handle) => taken.push(handle));
  clock.runTaken(taken[0]);
  assert.deepEqual(seen, [7, 9]);
});

test("a delay below nothing, or none at all, is refused; a delay of nothing is not", () => {
  const clock = new VirtualClock();
  assert.throws(() => clock.after(-1, nothing, null), RangeError);
  assert.throws(() => clock.after(Number.NaN, nothing, null), RangeError);
  assert.notEqual(clock.after(0, nothing, null), 0);
  assert.equal(clock.nextTimeNs(), 0);
  assert.equal(clock.pending, 1);
});

test("time stops at a limit: a call that is due there runs, one a nanosecond later does not", () => {
  const clock = new VirtualClock();
  clock.after(10, nothing, null);
  clock.after(11, nothing, null);
  assert.equal(clock.step(9), false);
  assert.equal(clock.nowNs(), 0);
  assert.equal(clock.step(10), true);
  assert.equal(clock.nowNs(), 10);
  clock.runUntil(10);
  assert.equal(clock.nowNs(), 10);
  clock.runUntil(30);
  assert.deepEqual([clock.nowNs(), clock.pending], [30, 0]);
  assert.equal(clock.nextTimeNs(), Number.POSITIVE_INFINITY);
  assert.equal(clock.step(), false);
  clock.runUntil(20);
  assert.equal(clock.nowNs(), 30, "never back");
});

test("time is moved by hand to the next call and no further, and never back", () => {
  const clock = new VirtualClock();
  clock.after(10, nothing, null);
  clock.advanceTo(4);
  assert.equal(clock.nowNs(), 4);
  clock.advanceTo(3);
  assert.equal(clock.nowNs(), 4);
  clock.advanceTo(50);
  assert.equal(clock.nowNs(), 10);
});

test("an instant is taken whole, in order, without those that were cancelled; what is cancelled after it does not run", () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const note = (name: string): void => void ran.push(name);
  clock.after(5, note, "a");
  const cancelled = clock.after(5, note, "b");
  clock.after(5, note, "c");
  clock.after(5, note, "d");
  clock.after(6, note, "later");
  clock.cancel(cancelled);
  assert.equal(clock.pending, 4);
  const taken: number[] = [];
  assert.equal(
    clock.takeNextInstant(4, (handle) => taken.push(handle)),
    0,
  );
  assert.equal(clock.nowNs(), 0);
  assert.equal(
    clock.takeNextInstant(5, (handle) => taken.push(handle)),
    3,
  );
  assert.equal(clock.nowNs(), 5);
  clock.cancel(taken[1]);
  for (const handle of taken) clock.runTaken(handle);
  assert.deepEqual(ran, ["a", "d"]);
  assert.equal(clock.pending, 1);
  clock.runUntil();
  assert.deepEqual(ran, ["a", "d", "later"]);
  assert.equal(
    clock.takeNextInstant(100, (handle) => taken.push(handle)),
    0,
  );
});

test("whether the next call is alone at its instant", () => {
  const clock = new VirtualClock();
  assert.equal(clock.isNextAlone(100), false, "there is none");
  clock.after(5, nothing, null);
  assert.equal(clock.isNextAlone(4), false, "it lies beyond");
  assert.equal(clock.isNextAlone(5), true);
  clock.after(6, nothing, null);
  assert.equal(clock.isNextAlone(5), true);
  clock.after(5, nothing, null);
  assert.equal(clock.isNextAlone(5), false);
  clock.step();
  assert.equal(clock.isNextAlone(5), true);
});

test("a handle that has run or was cancelled touches no later call, though its place is used again", () => {
  const clock = new VirtualClock();
  const ran: number[] = [];
  const first = clock.after(1, (index: number) => ran.push(index), 1);
  clock.step();
  const second = clock.after(1, (index: number) => ran.push(index), 2);
  assert.notEqual(first, second);
  clock.cancel(first);
  clock.cancel(0);
  clock.step();
  assert.deepEqual(ran, [1, 2]);
  const third = clock.after(1, (index: number) => ran.push(index), 3);
  clock.cancel(third);
  clock.cancel(third);
  assert.equal(clock.pending, 0);
  assert.equal(clock.step(), false);
});

test("calls of one instant keep their order through a thousand others, and through growth", () => {
  const clock = new VirtualClock();
  const random = new Random(8);
  const ran: [number, number][] = [];
  const given: [number, number][] = [];
  for (let index = 0; index < 1000; index++) {
    const time = random.below(12);
    given.push([time, index]);
    clock.after(time, (each: [number, number]) => ran.push(each), [time, index] as [number, number]);
  }
  assert.equal(clock.pending, 1000);
  clock.runUntil();
  assert.deepEqual(
    ran,
    given.sort(([a, i], [b, j]) => a - b || i - j),
  );
});
