// The door of a listener: few come in at once, many at a rate, and nobody who waits is forgotten.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Admission } from "./admission.ts";

function bench() {
  let now = 0;
  const inside: number[] = [];
  const away: number[] = [];
  const door = new Admission<number>({
    letIn: (guest) => inside.push(guest),
    turnAway: (guest) => away.push(guest),
    nowMs: () => now,
  });
  const pass = (milliseconds: number): void => {
    for (let count = 0; count < milliseconds; count += 2) {
      now += 2;
      mock.timers.tick(2);
    }
  };
  return { door, inside, away, pass };
}

test("thirty clients come in at once, in the call that brings them", () => {
  const { door, inside } = bench();
  for (let guest = 0; guest < 30; guest++) door.came(guest);
  assert.equal(inside.length, 30);
});

test("of two thousand at once a thousand a second come in, in their order; who gives up is not let in", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    const { door, inside, away, pass } = bench();
    for (let guest = 0; guest < 2000; guest++) door.came(guest);
    assert.equal(inside.length, 32);
    door.left(500);
    pass(1000);
    assert.ok(inside.length >= 1030 && inside.length <= 1034, `${inside.length} inside after a second`);
    pass(1000);
    assert.equal(inside.length, 1999);
    assert.deepEqual(
      inside,
      [...inside].sort((left, right) => left - right),
    );
    assert.ok(!inside.includes(500));
    assert.deepEqual(away, []);
    // A calm second later there is room for many again.
    pass(1000);
    for (let guest = 2000; guest < 2030; guest++) door.came(guest);
    assert.equal(inside.length, 2029);
  } finally {
    mock.timers.reset();
  }
});

test("more than four thousand do not wait: who has waited longest is turned away", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    const { door, inside, away } = bench();
    for (let guest = 0; guest < 32 + 4096 + 10; guest++) door.came(guest);
    assert.equal(inside.length, 32);
    assert.deepEqual(
      away,
      Array.from({ length: 10 }, (_, index) => 32 + index),
    );
    door.close();
  } finally {
    mock.timers.reset();
  }
});

test("a loop that comes round late lets in no more for that: two, whatever has been missed", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    let now = 0;
    const inside: number[] = [];
    const door = new Admission<number>({
      letIn: (guest) => inside.push(guest),
      turnAway: () => {},
      nowMs: () => now,
    });
    for (let guest = 0; guest < 200; guest++) door.came(guest);
    const before = inside.length;
    now += 100;
    mock.timers.tick(2);
    assert.equal(inside.length, before + 2);
    door.close();
  } finally {
    mock.timers.reset();
  }
});
