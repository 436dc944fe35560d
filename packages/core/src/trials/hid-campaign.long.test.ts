// Campaigns on the HID rig: determinism, unplug at every step, faults by seed, both devices on one bus.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { platformProfile } from "../platform/platform-profile.ts";
import { HidRig } from "../rigs/hid-rig.ts";
import { usbPaths } from "../rigs/usb-paths.ts";
import { drawHidFaults, runHidScenario } from "./hid-campaign.ts";
import { unplugAtEveryStep } from "./scenario.ts";

for (const device of ["keyboard", "gamepad"] as const) {
  test(`${device}: the same seed gives the same digest twice, another seed another`, async () => {
    const first = await runHidScenario({ seed: 5, turn: hostTurn, device });
    assert.equal(first.outcome, "all events");
    assert.deepEqual(first.problems, []);
    assert.deepEqual(await runHidScenario({ seed: 5, turn: hostTurn, device }), first);
    assert.notEqual((await runHidScenario({ seed: 6, turn: hostTurn, device })).digest, first.digest);
  });

  for (const path of ["bus", "usbip", "xhci"] as const) {
    test(`${device}, ${path}: unplug at every step of the scenario ends clean each time (F01)`, async () => {
      const options = { seed: 1, turn: hostTurn, device, path: usbPaths[path] };
      const campaign = await unplugAtEveryStep((unplugAtStep) =>
        runHidScenario({ ...options, unplugAtStep }),
      );
      assert.ok(campaign.steps > 80 && campaign.explored === campaign.steps);
      assert.deepEqual(campaign.failures, []);
      assert.deepEqual(Object.keys(campaign.outcomes).sort(), ["all events", "no input", "some events"]);
    });
  }

  test(`${device}: 300 seeds with faults: no hang, no crash, no broken contract`, async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const result = await runHidScenario({ seed, turn: hostTurn, device, faults: drawHidFaults(seed) });
      assert.deepEqual(result.problems, [], `seed ${seed}`);
      outcomes.add(result.outcome);
    }
    assert.deepEqual([...outcomes].sort(), ["all events", "no input", "some events"]);
  });
}

test("both devices on one bus: each event reaches its own listener", async () => {
  const rig = new HidRig({ seed: 3, turn: hostTurn, profile: platformProfile("open") });
  await rig.untilInputs(2);
  rig.keyboard.press(0x04);
  rig.gamepad.setButton(2, true);
  await rig.machine.run(rig.machine.scheduler.nowNs() + 100_000_000);
  const byName = new Map(rig.inputs.map(({ input, listener }) => [input.name, listener.events]));
  assert.deepEqual(
    byName.get("HID keyboard")?.map((event) => event.kind),
    ["key"],
  );
  assert.deepEqual(
    byName.get("HID gamepad")?.map((event) => event.kind),
    ["game-controller"],
  );
});
