// The soak and the explorer: an hour of I/O, a planted fault shrunk, a state that goes on or is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { rigCatalogue } from "../rigs/catalogue.ts";
import { explorables, explore, formatExploration, isExplored, refuseState } from "./explore.ts";
import { drawSoak, shrinkSoak, soak } from "./soak.ts";

const turn = hostTurn;

test("an hour of I/O with plug cycles: nothing lost, nothing leaked; the same seed is the same run", async () => {
  const actions = drawSoak(1, 1, 3600, 300);
  const [first, second] = [await soak({ seed: 1, turn, actions }), await soak({ seed: 1, turn, actions })];
  assert.equal(first.problem, null);
  assert.equal(first.done, 3600);
  assert.equal(first.plugs, 12);
  assert.ok(first.virtualNs >= 3590e9);
  assert.equal(first.digest, second.digest);
});

test("a fault planted after ten virtual hours is found and shrunk to a handful of actions", async () => {
  const actions = drawSoak(2, 12, 600);
  const options = { seed: 2, turn, actions, losesWritesAfterNs: 10 * 3600e9 };
  const found = await soak(options);
  assert.match(found.problem ?? "", /block \d+ reads 0x\w+, 0x\w+ was written/);
  assert.ok(found.virtualNs > 10 * 3600e9 && found.virtualNs < 12 * 3600e9);
  const shrunk = await shrinkSoak(options);
  assert.ok(shrunk.length <= 3, JSON.stringify(shrunk));
  const again = await soak({ ...options, actions: shrunk });
  assert.notEqual(again.problem, null);
  // Nothing can be left out any more.
  for (let at = 0; at < shrunk.length; at++) {
    const without = shrunk.filter((_, index) => index !== at);
    assert.equal((await soak({ ...options, actions: without })).problem, null);
  }
});

test("an exploration stops, goes on from its state, and ends as one that never stopped", async () => {
  const entry = explorables.find(({ name }) => name === "serial");
  assert.ok(entry !== undefined);
  const whole = await explore({ entry, seed: 1, turn, most: 40 });
  const half = await explore({ entry, seed: 1, turn, most: 15 });
  assert.equal(half.next, 16);
  assert.equal(isExplored(half), false);
  const state = JSON.parse(JSON.stringify(half));
  assert.equal(refuseState(state, "serial", 1), null);
  const rest = await explore({ entry, seed: 1, turn, most: 25, state });
  assert.deepEqual(rest, whole);
  assert.match(formatExploration(rest), /^serial, seed 1: 40 of \d+ steps explored\n/);
});

test("every rig of the catalogue can be explored: its first run ends clean, pulled early or not", async () => {
  for (const { name } of rigCatalogue)
    assert.ok(
      explorables.some((entry) => entry.name === name),
      name,
    );
  for (const entry of explorables) {
    for (const step of [0, 40]) {
      const result = await entry.run(1, turn, step);
      assert.deepEqual(result.problems, [], `${entry.name}, step ${step}`);
      assert.ok(result.steps > 20);
    }
  }
});

test("states that are not ours: another rig, another seed, a newer version, no state at all", () => {
  const state = {
    format: "drydock explore",
    version: 1,
    rig: "nvme",
    seed: 3,
    steps: 9,
    digest: "x",
    next: 2,
  };
  const good = { ...state, outcomes: {}, failed: 0, failures: [] };
  assert.equal(refuseState(good, "nvme", 3), null);
  assert.match(refuseState(good, "serial", 3) ?? "", /belongs to rig nvme/);
  assert.match(refuseState(good, "nvme", 4) ?? "", /with seed 3/);
  assert.match(
    refuseState({ ...good, version: 2 }, "nvme", 3) ?? "",
    /newer version \(2, this one knows 1\)/,
  );
  assert.match(refuseState(state, "nvme", 3) ?? "", /missing/);
  for (const nothing of [null, 7, "x", [], { format: "else" }])
    assert.match(refuseState(nothing, "nvme", 3) ?? "", /no state/);
});
