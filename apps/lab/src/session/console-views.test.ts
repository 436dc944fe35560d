// The consoles' views: P19's blocks, P15's clock, P18's refused address, keys that are heard, frames that return.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findCase } from "@drydock/cases/casebook";
import { findRig } from "@drydock/core/rigs/catalogue";
import { hostTurn } from "@drydock/node/host-turn";
import { RigRun } from "./lab-run.ts";
import { makeHands } from "./rig-hands.ts";
import { viewOf } from "./session-views.ts";
import { ShownCase } from "./shown-case.ts";
import type { ViewAnswer } from "./views.ts";

type Named<Name extends ViewAnswer["name"]> = Extract<ViewAnswer, { readonly name: Name }>;

function view<Name extends "disk" | "power" | "network" | "inputs" | "iommu">(
  run: RigRun | ShownCase,
  name: Name,
): Named<Name> {
  const answer = viewOf(run, { name });
  assert.equal(answer.name, name, JSON.stringify(answer));
  return answer as Named<Name>;
}

const play = (id: string, side: "bad" | "good", faults: readonly string[] = []): Promise<ShownCase> =>
  ShownCase.play({ what: id, side, seed: 1, faults, isRunning: false }, hostTurn, findCase(id));

const rigOf = (what: string): RigRun =>
  new RigRun(
    findRig(what) ?? assert.fail(what),
    { what, side: "bad", seed: 1, faults: [], isRunning: false },
    hostTurn,
    makeHands,
  );

const to = (run: RigRun, seconds: number) => run.rig.machine.scheduler.run(seconds * 1e9);

test("P19: no flush reaches the disk of the wrong driver, its blocks are caught by the cut, and those that were lost are named", async () => {
  const [bad] = view(await play("P19", "bad"), "disk").disks;
  assert.equal(bad.flushCount, 0);
  assert.equal(bad.cuts, 1);
  assert.equal(bad.isThere, true, "it came back and is known again");
  assert.equal(bad.counts.dirty, 0);
  // The case reads all 64 again: each is on the medium, or lost.
  assert.equal(bad.counts.cut, 0);
  assert.equal(bad.counts.flushed + bad.counts.lost, 64);
  assert.ok(bad.counts.lost > 0);
  assert.equal(bad.runs.length, Math.min(40, bad.counts.lost));
  assert.ok(bad.runs.every(({ from, blocks }) => from % 8 === 0 && blocks === 1));
  const [good] = view(await play("P19", "good"), "disk").disks;
  assert.equal(good.flushCount, 1);
  assert.deepEqual(good.counts, { dirty: 0, flushed: 64, cut: 0, lost: 0 });
  assert.match(good.flushes[0].text, /SYNCHRONIZE CACHE.*: everything/);
});

for (const rig of ["storage", "uas"])
  test(`${rig}: what was written is dirty, flushed, dirty again, and caught by a power cut until it is read`, async () => {
    const run = rigOf(rig);
    const counts = () => view(run, "disk").disks[0].counts;
    await to(run, 5);
    assert.equal(view(run, "disk").disks[0].cells.length, 0, "nothing was written yet");
    assert.equal(run.perform("write", "64"), "");
    await to(run, 6);
    assert.deepEqual(counts(), { dirty: 64, flushed: 0, cut: 0, lost: 0 });
    assert.equal(run.perform("flush", ""), "");
    await to(run, 7);
    assert.deepEqual(counts(), { dirty: 0, flushed: 64, cut: 0, lost: 0 });
    assert.equal(run.perform("write", "32"), "");
    await to(run, 8);
    assert.deepEqual(counts(), { dirty: 32, flushed: 32, cut: 0, lost: 0 });
    assert.equal(run.perform("power-cut", "1"), "");
    await to(run, 14);
    assert.deepEqual(counts(), { dirty: 0, flushed: 32, cut: 32, lost: 0 });
    let said = "";
    run.onSaid = (text) => {
      said = text;
    };
    assert.equal(run.perform("read-back", ""), "");
    await to(run, 16);
    const after = counts();
    // The hand counts for itself what it read.
    const [, matching] = /^(\d+) of 64 blocks hold/.exec(said) ?? assert.fail(said);
    assert.equal(after.cut, 0);
    assert.equal(after.flushed, Number(matching));
    assert.equal(after.lost, 64 - Number(matching));
    assert.ok(after.lost > 0, "seed 1 loses some");
  });

test("P15: the wake is over its 20 s and nobody acknowledged it; the right driver's is a part of them", async () => {
  const { changes } = view(await play("P15", "bad"), "power");
  const wake = changes.at(-1) ?? assert.fail();
  assert.deepEqual([wake.from, wake.to, wake.tookNs, wake.budgetNs], [0, 2, null, 20e9]);
  assert.match(wake.service, /P15Driver$/);
  const good = view(await play("P15", "good"), "power").changes.at(-1) ?? assert.fail();
  assert.ok(good.tookNs !== null && good.tookNs < 20e9, `${good.tookNs}`);
});

test("a rig's drivers sleep and wake within their budgets", async () => {
  const run = rigOf("storage");
  await to(run, 5);
  assert.equal(run.perform("sleep", ""), "");
  await to(run, 10);
  assert.equal(run.perform("wake", ""), "");
  await to(run, 20);
  const { changes } = view(run, "power");
  for (const { budgetNs, tookNs } of changes) assert.ok(tookNs !== null && tookNs <= budgetNs);
});

test("P18: each of its causes leaves another story, and a swapped address is refused where it was", async () => {
  const refused = view(await play("P18", "bad", ["swapped-address"]), "iommu");
  assert.match(
    refused.refusals[0],
    /write of 6 bytes at 0x[0-9a-f]{1,6} refused: no mapping; missed .* by \d+ bytes/,
  );
  const stories = new Set<string>();
  const names = findCase("P18").causes?.names ?? [];
  for (const name of names) {
    const { ledger } = view(await play("P18", "bad", [name]), "iommu");
    assert.ok(ledger.length > 1);
    stories.add(ledger.join("\n"));
  }
  assert.equal(stories.size, 6);
  await assert.rejects(play("P18", "bad", ["no-cause"]), /P18 has no cause "no-cause"; it has looks-early/);
  assert.deepEqual(view(await play("P18", "good"), "iommu").refusals, []);
});

test("keys and buttons: what is pressed is heard, by the input whose connector was named", async () => {
  const run = rigOf("inputs");
  await to(run, 2);
  assert.equal(run.perform("press", "1:26"), "");
  await to(run, 3);
  assert.equal(run.perform("press", "2:3"), "");
  await to(run, 4);
  const { inputs } = view(run, "inputs");
  const told = inputs.map((input) => input.told.join("\n")).join("\n---\n");
  assert.match(told, /A down\n.* A up/);
  assert.match(told, /pressed: \w+/);
  assert.ok(inputs.every(({ down }) => down.length === 0));
  assert.match(run.perform("press", "1:5"), /^$/);
  assert.throws(() => run.perform("press", "3:1"), /a connector is a whole number from 1 to 2/);
  assert.throws(() => run.perform("press", "x"), /a key or button is a whole number/);
});

test("frames go out and come back, counted on the interface and on its cable", async () => {
  const run = rigOf("ethernet");
  await to(run, 5);
  let said = "";
  run.onSaid = (text) => {
    said = text;
  };
  assert.equal(run.perform("send-frames", "25"), "");
  await to(run, 6);
  assert.equal(said, "25 of 25 frames came back.");
  const { cables, interfaces, rates } = view(run, "network");
  assert.deepEqual([cables[0].sentFrames, cables[0].receivedFrames], [25, 25]);
  assert.deepEqual([interfaces[0].sentFrames, interfaces[0].receivedFrames], [25, 25]);
  assert.equal(interfaces[0].sentBytes, 25 * 60);
  assert.match(interfaces[0].state, /^link up at \d+ Mbit\/s, open$/);
  assert.equal(
    rates.reduce((sum, value) => sum + value, 0),
    50,
  );
  // The adapter goes in the middle: the hand says so and takes another try.
  assert.equal(run.perform("send-frames", "500"), "");
  assert.equal(run.perform("unplug", "1"), "");
  await to(run, 7);
  assert.match(said, /gone: \d+ of 500 frames came back/);
  assert.equal(run.perform("send-frames", "1"), "no network interface has come up yet: let time go on");
  assert.match(view(run, "network").interfaces[0].state, /gone/);
});
