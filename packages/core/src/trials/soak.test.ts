// The soak and the explorer: an hour of I/O, a planted fault shrunk, a state that goes on or is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { findRig, type RigEntry, rigCatalogue } from "../rigs/catalogue.ts";
import { explorables } from "./explorables.ts";
import { explore, exploreTrial, formatExploration, isExplored, refuseState } from "./explore.ts";
import { shrinkSoak, soak, soakOptions } from "./soak.ts";
import { addSoakEntry, formatSoakState, newSoakState, refuseSoakState } from "./soak-book.ts";

const turn = hostTurn;

const rig = (name: string): RigEntry => findRig(name) as RigEntry;
const plain = { hours: 1, perHour: 3600, plugEvery: 300 };

test("an hour of I/O with plug cycles: nothing lost, nothing leaked; the same seed is the same run", async () => {
  const options = soakOptions(rig("nvme"), { ...plain, seed: 1 }, turn);
  const [first, second] = [await soak(options), await soak(options)];
  assert.equal(first.problem, null);
  assert.equal(first.done, 3600);
  assert.equal(first.plugs, 12);
  assert.ok(first.virtualNs >= 3590e9);
  assert.equal(first.digest, second.digest);
});

for (const entry of rigCatalogue) {
  test(`${entry.name}: soaked for a while with plug cycles, it loses and leaks nothing`, async () => {
    const plan = { hours: 0.02, perHour: 3000, plugEvery: 15, seed: 4 };
    const result = await soak(soakOptions(entry, plan, turn));
    assert.equal(result.problem, null);
    assert.equal(result.done, 60);
    assert.equal(result.plugs, 4);
  });

  test(`${entry.name}: a device that begins to forget is found, and one action shows it or two do`, async () => {
    const plan = { hours: 0.01, perHour: 6000, plugEvery: 0, seed: 5, loseWritesAfter: 0.004 };
    const { problem } = await soak(soakOptions(entry, plan, turn));
    assert.match(problem ?? "", /was written|came back|nobody heard/);
    const only = await shrinkSoak(entry, plan, turn);
    assert.ok(only.length <= 2, only.join());
    assert.notEqual((await soak(soakOptions(entry, { ...plan, only }, turn))).problem, null);
  });
}

test("a fault planted after ten virtual hours is found and shrunk to a handful of actions", async () => {
  const plan = { hours: 12, perHour: 600, plugEvery: 0, seed: 2, loseWritesAfter: 10 };
  const found = await soak(soakOptions(rig("nvme"), plan, turn));
  assert.match(found.problem ?? "", /block \d+ reads 0x\w+, 0x\w+ was written/);
  assert.ok(found.virtualNs > 10 * 3600e9 && found.virtualNs < 12 * 3600e9);
  const only = await shrinkSoak(rig("nvme"), plan, turn);
  assert.ok(only.length <= 3, only.join());
  const again = await soak(soakOptions(rig("nvme"), { ...plan, only }, turn));
  assert.notEqual(again.problem, null);
  // Nothing can be left out any more.
  for (let at = 0; at < only.length; at++) {
    const without = only.filter((_, index) => index !== at);
    assert.equal((await soak(soakOptions(rig("nvme"), { ...plan, only: without }, turn))).problem, null);
  }
});

test("a census that a plug cycle changes is a finding: mappings that stay", async () => {
  const entry = rig("nvme");
  const leaky: RigEntry = {
    ...entry,
    build: (options) => {
      const built = entry.build(options);
      built.machine.onGone(
        () => void built.pci?.iommu.portFor("01:00.0").map(new Uint8Array(64), 3, "forgotten"),
      );
      return built;
    },
  };
  const { problem } = await soak(soakOptions(leaky, { ...plain, hours: 0.1, plugEvery: 20, seed: 1 }, turn));
  assert.match(problem ?? "", /mappings are left after an unplug/);
});

test("a soak's state goes on, and is refused when it is another's, another soak's or a newer version's", async () => {
  const terms = { hours: 0.01, perHour: 1000, plugEvery: 0 };
  const fresh = newSoakState("nvme", terms, 7, 3);
  const result = await soak(soakOptions(rig("nvme"), { ...terms, seed: 7 }, turn));
  const state = addSoakEntry(fresh, { seed: 7, result, only: null, actions: null });
  const read = JSON.parse(JSON.stringify(state));
  assert.equal(refuseSoakState(read, fresh), null);
  assert.match(
    refuseSoakState({ ...read, version: 2 }, fresh) ?? "",
    /newer version \(2, this one knows 1\)/,
  );
  assert.match(refuseSoakState({ ...read, rig: "uas" }, fresh) ?? "", /belongs to rig uas/);
  assert.match(refuseSoakState({ ...read, seed: 8 }, fresh) ?? "", /from seed 8/);
  const longer = { ...terms, hours: 2 };
  assert.match(refuseSoakState({ ...read, terms: longer }, fresh) ?? "", /other hours/);
  assert.match(
    refuseSoakState({ ...read, entries: [{ ...read.entries[0], seed: 9 }] }, fresh) ?? "",
    /out of order/,
  );
  assert.match(refuseSoakState({ ...read, entries: [null] }, fresh) ?? "", /out of order/);
  for (const nothing of [null, 7, "x", [], {}])
    assert.match(refuseSoakState(nothing, fresh) ?? "", /no state/);
  assert.match(
    formatSoakState(state),
    /^nvme, seed 7: 0\.01 virtual hours: 10 actions.*\n1 of 3 seeds, 0 with findings\n$/,
  );
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
  assert.match(formatExploration(rest), /^serial, seed 1: 40 of \d+ steps explored; 40 of \d+ trials\n/);
});

test("every rig of the catalogue can be explored: pulled early or late, for good or put in again, it ends clean", async () => {
  for (const { name } of rigCatalogue)
    assert.ok(
      explorables.some((entry) => entry.name === name),
      name,
    );
  for (const entry of explorables) {
    const { steps } = await entry.run(1, turn, {});
    const pulled = [0, 40, Math.floor(steps / 2)].map((unplugAtStep) => ({ unplugAtStep }));
    const again = [1, 60].map((replugAfterSteps) => ({ unplugAtStep: 40, replugAfterSteps }));
    for (const plan of [...pulled, ...again]) {
      const result = await entry.run(1, turn, plan);
      assert.deepEqual(result.problems, [], `${entry.name}, ${JSON.stringify(plan)}`);
      assert.ok(result.steps > 20);
    }
  }
});

test("trials come in order: each step, each pair, each way out", async () => {
  const entry = explorables.find(({ name }) => name === "nvme");
  assert.ok(entry !== undefined);
  const state = await explore({ entry, seed: 1, turn, replug: 2, most: 1 });
  assert.equal(state.trials, state.steps * 3 + 3);
  const words = [1, state.steps, state.steps + 1, state.steps + 2, state.steps + 3, state.trials].map(
    (number) => {
      const { step, replugAfter, wayOut } = exploreTrial(state, number);
      return `${step}/${replugAfter}/${wayOut}`;
    },
  );
  assert.deepEqual(words, [
    "1/0/null",
    `${state.steps}/0/null`,
    "1/1/null",
    "1/2/null",
    "2/1/null",
    "0/0/sleep",
  ]);
});

test("states that are not ours: another rig, another seed, an older or newer version, no state at all", () => {
  const good = {
    format: "drydock explore",
    version: 2,
    rig: "nvme",
    seed: 3,
    replug: 0,
    steps: 9,
    digest: "x",
    trials: 9,
    next: 2,
    outcomes: {},
    failed: 0,
    failures: [],
    lucky: [],
    teardowns: [],
  };
  assert.equal(refuseState(good, "nvme", 3), null);
  assert.match(refuseState(good, "serial", 3) ?? "", /belongs to rig nvme/);
  assert.match(refuseState(good, "nvme", 4) ?? "", /with seed 3/);
  assert.match(refuseState(good, "nvme", 3, 5) ?? "", /begun with --replug 0/);
  assert.match(
    refuseState({ ...good, version: 3 }, "nvme", 3) ?? "",
    /newer version \(3, this one knows 2\)/,
  );
  assert.match(refuseState({ ...good, version: 1 }, "nvme", 3) ?? "", /older version \(1\)/);
  assert.match(refuseState({ ...good, lucky: undefined }, "nvme", 3) ?? "", /missing/);
  for (const nothing of [null, 7, "x", [], { format: "else" }])
    assert.match(refuseState(nothing, "nvme", 3) ?? "", /no state/);
});
