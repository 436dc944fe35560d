// Our NVMe driver on our NVMe model: the block contract, recovery from every mischief, clean ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { blockContract, RecordingBlockClient } from "../ports/block.contract.ts";
import { runContract } from "../ports/contract.ts";
import { defaultNvmeRig } from "./nvme-rig.ts";

test("the disk keeps the block contract", async () => {
  let seed = 0;
  const results = await runContract(blockContract, async () => {
    const rig = defaultNvmeRig(++seed, hostTurn);
    const port = await rig.openMedia();
    const client = new RecordingBlockClient();
    port.connect(client);
    return {
      port,
      client,
      settle: async () => {
        await rig.machine.run();
        assert.equal(rig.machine.failure, null);
      },
      unplug: () => rig.pci.bus.unplug(1),
      cutPower: null,
    };
  });
  assert.ok(results.length > 10);
  assert.deepEqual(
    results.filter(({ problem }) => problem !== null),
    [],
  );
});
