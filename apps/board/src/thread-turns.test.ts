// A thread that never answers, runs out of memory or throws is ended with the reason; the next question is answered.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BoardRefusal } from "@drydock/board/refusal";
import { ThreadTurns } from "./thread-turns.ts";

const script = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", (ask) => {
      if (ask === "never") for (;;);
      if (ask === "memory") { const held = []; for (;;) held.push(new Array(100_000).fill(ask + held.length)); }
      if (ask === "throw") throw new Error("it broke");
      if (ask === "gone") process.exit(3);
      if (ask === "refuse") parentPort.postMessage({ error: "not this" });
      else parentPort.postMessage({ value: ask.toUpperCase() });
    });`)}`,
);
const turns = new ThreadTurns<string, string>(script, {
  longestMs: 1500,
  mostWaiting: 2,
  memoryMb: 32,
  crowded: { code: "crowded", text: "Too many wait." },
});
after(() => turns.close());

for (const [ask, reason] of [
  ["never", /longer than 1\.5 s/],
  ["memory", /memory/i],
  ["throw", /it broke/],
  ["gone", /ended with 3/],
  ["refuse", /not this/],
] as const)
  test(`${ask}: the asker hears why, and the next one is served`, { timeout: 60_000 }, async () => {
    const asked = turns.ask(ask);
    const next = turns.ask("next");
    await assert.rejects(asked, reason);
    assert.equal(await next, "NEXT");
  });

test("more than may wait are told to come again; those who wait have their turn", async () => {
  const served = [turns.ask("a"), turns.ask("b"), turns.ask("c")];
  assert.throws(
    () => turns.ask("d"),
    (error) => error instanceof BoardRefusal && error.code === "crowded" && error.retryAfter === 5,
  );
  assert.deepEqual(await Promise.all(served), ["A", "B", "C"]);
});

test("a board that closes tells everybody who waits", async () => {
  const closing = new ThreadTurns<string, string>(script, {
    longestMs: 60_000,
    mostWaiting: 2,
    memoryMb: 32,
    crowded: { code: "crowded", text: "" },
  });
  const asked = [closing.ask("never"), closing.ask("a")].map((each) =>
    each.then(
      () => "answered",
      (error) => (error instanceof BoardRefusal ? error.code : String(error)),
    ),
  );
  await closing.close();
  assert.deepEqual(await Promise.all(asked), ["closing", "closing"]);
});
