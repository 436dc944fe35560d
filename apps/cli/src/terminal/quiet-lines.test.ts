// Lines about connections: alone they come at once, in a flood one a second with how many there were.

import assert from "node:assert/strict";
import { test } from "node:test";
import { second } from "@drydock/core/base/units";
import { VirtualClock } from "@drydock/core/base/virtual-clock";
import { quietLines } from "./quiet-lines.ts";

test("a line alone comes at once; the next one within a second waits, and is not lost", () => {
  const clock = new VirtualClock();
  const said: string[] = [];
  const lines = quietLines((text) => said.push(text), clock);
  lines.say("a client came");
  lines.say("it opened the disk");
  assert.deepEqual(said, ["a client came"]);
  clock.runUntil(second);
  assert.deepEqual(said, ["a client came", "it opened the disk"]);
  clock.runUntil(3 * second);
  lines.say("it left");
  lines.say("the server stops");
  lines.end();
  assert.deepEqual(said.slice(2), ["it left", "the server stops"]);
});

test("a few lines within a second are one, word for word", () => {
  const clock = new VirtualClock();
  const said: string[] = [];
  const lines = quietLines((text) => said.push(text), clock);
  for (const text of ["  a came", "  a is a guest", "  a has the device", "  b came"]) lines.say(text);
  clock.runUntil(2 * second);
  assert.deepEqual(said, ["  a came", "  a is a guest; a has the device; b came"]);
});

test("a thousand connections a second for a minute are sixty lines, and their number", () => {
  const clock = new VirtualClock();
  const said: string[] = [];
  const lines = quietLines((text) => said.push(text), clock);
  for (let count = 0; count < 60_000; count++) {
    lines.say(`client ${count} was let go`);
    clock.runUntil((count + 1) * (second / 1000));
  }
  assert.ok(said.length >= 59 && said.length <= 61, `${said.length} lines`);
  assert.equal(said[1], "client 999 was let go  (and 998 more like it in between)");
});

test("bursts that meet the end of a second get no line of their own: sixty seconds are sixty lines", () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  const lines = quietLines(() => times.push(clock.nowNs()), clock);
  // Just before the line that waits has its time, at that time, and just after it.
  for (let ms = 0; ms < 60_000; ms += 5) {
    clock.advanceTo(ms * (second / 1000));
    lines.say("came");
    lines.say("was let go");
    clock.runUntil(ms * (second / 1000));
    lines.say("came");
  }
  for (let index = 1; index < times.length; index++)
    assert.ok(times[index] - times[index - 1] >= second, `${times[index - 1]} and ${times[index]}`);
  assert.ok(times.length >= 59, `${times.length} lines`);
});
