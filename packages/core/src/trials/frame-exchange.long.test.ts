// Random frames both ways through each of our network drivers and models: as many as asked for, hashes equal.

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeNetworkDevice, type NetworkDeviceKind } from "../rigs/network-rig.ts";
import { exchanged } from "../rigs/test/network-bench.ts";

const frames = Number(process.env.DRYDOCK_FRAMES ?? 20_000);

for (const kind of ["ax88772c", "cdc-ncm", "cdc-ecm"] as const satisfies readonly NetworkDeviceKind[])
  test(`${frames} random frames each way through ${kind}`, async () => {
    const { exchange, rig } = await exchanged((clock) => makeNetworkDevice(kind, clock), frames, {
      window: 8,
    });
    const result = exchange.result();
    assert.equal(result.isWhole, true, JSON.stringify(result));
    const { droppedFrames, lostFrames } = rig.interfaces[0].counts;
    assert.deepEqual([droppedFrames, lostFrames], [0, 0]);
  });
