// P08: each acceptance criterion of the post.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RelinkBehaviour } from "@drydock/core/devices/relink-bridge/bridge-security";
import { TraceKind } from "@drydock/core/trace/usb-trace-log";
import { hostTurn } from "@drydock/node/host-turn";
import { bridgeNotes, runBad, runGood } from "./attempts.ts";
import type { BridgeBench } from "./bridge-bench.ts";
import { bridgePaths } from "./bridge-bench.ts";
import { relinkBridgeCase } from "./case.ts";
import { combinations } from "./explorer.ts";
import { assertNamed } from "./test/named-states.ts";

const options = { seed: 8, turn: hostTurn };

const modes: readonly (readonly [string, Partial<RelinkBehaviour>, RegExp])[] = [
  ["waits for idle", { drop: "when idle" }, /forgotten, because the host never left the link idle/],
  ["drop before status", { drop: "before status" }, /error recovery hit the relink: half done/],
  ["state lost", { unlock: "is lost" }, /locked again: the unlock did not survive/],
];

for (const path of bridgePaths) {
  for (const [name, behaviour, reason] of modes) {
    test(`P08 AC1: fire and forget, ${name}, ${path}: capacity 0 or NOT READY, and the trace says why`, async () => {
      const { bench, isReadable, unit } = await runBad(behaviour, path, options);
      assert.equal(isReadable, false);
      assert.match(unit, /capacity is 0 blocks|NOT READY/);
      assert.ok(
        bridgeNotes(bench).some((note) => reason.test(note)),
        bridgeNotes(bench).join("; "),
      );
    });
  }
}

test("P08 AC1: both commands were accepted when the bridge waits for idle", async () => {
  const { attempt } = await runBad({ drop: "when idle" }, "Bulk-Only", options);
  assert.deepEqual([attempt.unlock, attempt.relink], ["GOOD", "GOOD"]);
});

/** Every mode of the post's list, and what is still possible in it. */
const allModes: readonly Partial<RelinkBehaviour>[] = [
  {},
  { relink: "attention" },
  { relink: "on reset" },
  { drop: "before status" },
  { drop: "before status", relink: "attention" },
  { drop: "when idle" },
  { capacity: "stale" },
  { relink: "attention", capacity: "stale" },
  { ready: "becoming ready" },
  { ready: "start needed" },
];

for (const path of bridgePaths) {
  test(`P08 AC2: the good app reaches an unlocked, readable drive wherever it can be, ${path}`, async () => {
    for (const behaviour of allModes) {
      const { outcome, steps } = await runGood(behaviour, path, options);
      assert.equal(outcome, "unlocked and readable", `${JSON.stringify(behaviour)}: ${steps.join("; ")}`);
    }
  });

  test(`P08 AC2: and says so where the unlock does not survive, ${path}`, async () => {
    for (const relink of ["disconnect", "attention", "on reset"] as const) {
      const { outcome } = await runGood({ unlock: "is lost", relink }, path, options);
      assert.equal(outcome, "the device loses the unlock on relink", relink);
    }
  });
}

/** Transfers submitted to a device after it left the bus. */
function ghosts(bench: BridgeBench): number {
  const gone = new Set<number>();
  let count = 0;
  for (const { device, kind, text } of bench.rig.usb.trace.all()) {
    const left = /^device (\d+) left the bus$/.exec(text);
    if (kind === TraceKind.mark && left !== null) gone.add(Number(left[1]));
    else if (kind === TraceKind.submit && gone.has(device)) count++;
  }
  assert.ok(gone.size > 0, "no device left");
  return count;
}

test("P08 AC3: no command goes to the old device address after its disconnect", async () => {
  for (const path of bridgePaths) {
    assert.equal(ghosts((await runGood({}, path, options)).bench), 0, path);
    assert.equal(ghosts((await runGood({ relink: "on reset" }, path, options)).bench), 0, path);
    assert.equal(ghosts((await runBad({}, path, options)).bench), 0, path);
  }
});

test("P08: the case is sound: bad ends locked out, good with a readable drive", async () => {
  const bad = await relinkBridgeCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /unlock GOOD, relink GOOD/);
  const good = await relinkBridgeCase.run("good", options);
  assert.equal(good.succeeded, true, good.result);
});

test("P08 explorer (F21): 36 combinations end in named states, none in unknown (explorer.long.test has all 216)", async () => {
  const some = combinations().filter(({ capacity, ready }) => capacity === "fresh" && ready === "at once");
  assert.equal(some.length, 36);
  await assertNamed(some, options);
});
