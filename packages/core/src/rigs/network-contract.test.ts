// The Ethernet port's contract, run on each of our drivers over each of our models.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { platformProfile } from "../platform/platform-profile.ts";
import { runContract } from "../ports/contract.ts";
import { ethernetContract, RecordingEthernetClient } from "../ports/ethernet.contract.ts";
import { type NetworkDeviceKind, NetworkRig } from "./network-rig.ts";

const kinds: readonly NetworkDeviceKind[] = [
  "ax88772",
  "ax88772a",
  "ax88772b",
  "ax88772c",
  "cdc-ncm",
  "cdc-ecm",
];

for (const kind of kinds) {
  for (const timing of ["none", "bus"] as const) {
    test(`the contract of an Ethernet interface holds for ${kind}, timing ${timing}`, async () => {
      let seed = 1;
      const results = await runContract(ethernetContract, async () => {
        const rig = new NetworkRig({
          seed: seed++,
          turn: hostTurn,
          profile: platformProfile("macos15"),
          timing,
          trace: false,
          devices: [kind],
        });
        const { scheduler } = rig.machine;
        const settle = async (): Promise<void> => void (await scheduler.run(scheduler.nowNs() + 3e9));
        await settle();
        assert.deepEqual(rig.machine.crashes, []);
        const [port] = rig.interfaces;
        assert.ok(
          port !== undefined,
          `an interface came up: ${rig.machine.log
            .show()
            .map(({ message }) => message)
            .join("\n")}`,
        );
        const [cable] = rig.cables;
        return {
          port,
          client: new RecordingEthernetClient(),
          settle,
          setCable: (isIn: boolean) => (isIn ? cable.plugIn() : cable.pullOut()),
          unplug: () => rig.usb.bus.unplug(1),
        };
      });
      assert.deepEqual(
        results.filter(({ problem }) => problem !== null),
        [],
      );
      assert.equal(results.length, ethernetContract.length);
    });
  }
}
