// Sessions are handed out to those in a hurry first, some are kept for them, and every waiter gets one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { SessionGate, urgently } from "./session-gate.ts";

test("a writer among many readers finds a kept session, for all that it reads before it writes too", async () => {
  const gate = new SessionGate(3, 1);
  const order: string[] = [];
  const visit = async (name: string) => {
    const leave = await gate.enter();
    order.push(name);
    await setImmediate();
    leave();
  };
  const readers = Array.from({ length: 8 }, (_, at) => visit(`reader ${at}`));
  const writer = urgently(async () => {
    await visit("looks up");
    await visit("writes");
  });
  await Promise.all([...readers, writer]);
  assert.deepEqual(order.slice(0, 3), ["reader 0", "reader 1", "looks up"]);
  assert.ok(order.indexOf("writes") <= 5, order.join(", "));
  assert.deepEqual(
    order.filter((name) => name.startsWith("reader")),
    Array.from({ length: 8 }, (_, at) => `reader ${at}`),
  );
});

test("writers beyond the kept ones go before readers that have waited longer; nobody is forgotten", async () => {
  const gate = new SessionGate(1, 0);
  const first = await gate.enter();
  const order: string[] = [];
  const come = async (name: string) => {
    const leave = await gate.enter();
    order.push(name);
    leave();
  };
  const all = [come("reader"), urgently(() => come("writer"))];
  await setImmediate();
  assert.deepEqual(order, [], "one session, one visitor");
  first();
  await Promise.all(all);
  assert.deepEqual(order, ["writer", "reader"]);
  (await gate.enter())();
});
