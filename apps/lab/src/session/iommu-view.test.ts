// The IOMMU as a screen shows it: ranges with owner and way, and a refused access with what it missed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findRig } from "@drydock/core/rigs/catalogue";
import { hostTurn } from "@drydock/node/host-turn";
import { RigRun } from "./lab-run.ts";
import { makeHands } from "./rig-hands.ts";
import { viewOf } from "./session-views.ts";

test("an NVMe rig's queues are ranges; a write past one of them is told with its distance; USB has none", async () => {
  const opening = { what: "nvme", side: "bad", seed: 1, faults: [], isRunning: false } as const;
  const run = new RigRun(findRig("nvme") ?? assert.fail(), opening, hostTurn, makeHands);
  await run.rig.machine.run(2_000_000_000);
  const view = viewOf(run, { name: "iommu" });
  assert.ok(view.name === "iommu");
  assert.ok(view.mappings.length > 1);
  assert.ok(
    view.mappings.every(
      ({ direction, lengthBytes, owner }) => direction !== "" && lengthBytes > 0 && owner !== "",
    ),
  );
  assert.deepEqual(view.refusals, []);
  const last = view.mappings.at(-1) ?? assert.fail();
  run.rig.pci?.iommu.write(
    last.requester,
    last.base + last.lengthBytes + 0x10000,
    Uint8Array.of(1, 2, 3, 4),
    0,
    4,
  );
  const after = viewOf(run, { name: "iommu" });
  assert.ok(after.name === "iommu");
  // The distance counts to the end of the access.
  assert.equal(after.refusals.length, 1);
  assert.match(
    after.refusals[0],
    /write of 4 bytes at 0x[0-9a-f]+ refused: no mapping; missed .* by 65540 bytes/,
  );
  const usb = new RigRun(
    findRig("serial") ?? assert.fail(),
    { ...opening, what: "serial" },
    hostTurn,
    makeHands,
  );
  assert.equal(viewOf(usb, { name: "iommu" }).name, "none");
});
