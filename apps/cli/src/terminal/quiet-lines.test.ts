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
