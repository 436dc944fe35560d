// A dext on a disk's class driver: commands by the helpers, blocks that come back, sense, and what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { IOReturns } from "@drydock/core/base/io-return";
import { massStorageBundle } from "@drydock/core/drivers/mass-storage/mass-storage-driver";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { StorageRig } from "@drydock/core/rigs/storage-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LoadedDext } from "../../src/host/dext-bundle.ts";
import { compileDext } from "../../src/run/compile-dext.ts";

const blockCount = 2048;

test("each helper's command reaches the disk, and its answer the dext's memory", async () => {
  const folder = fileURLToPath(new URL("../dexts/blocks", import.meta.url));
  const dext = new LoadedDext(await compileDext([folder]));
  const rig = new StorageRig({
    seed: 5,
    turn: hostTurn,
    profile: platformProfile("macos15"),
    units: [{ blockCount }],
    bundles: [massStorageBundle(), dext.bundle],
  });
  await rig.openMedia();
  const { machine } = rig;
  const [driver] = machine.registry.byClass("Blocks");
  const application = machine.launchApplication({ name: "Blocks" });
  await machine.perform(async () => {
    const client = await machine.openUserClient(application, driver);
    const ask = async (selector: number, ...scalarInput: number[]) => {
      const { scalarOutput, structureOutput } = await client.call(selector, {
        scalarInput,
        scalarOutputCount: 4,
        structureOutputSize: 512,
      });
      const [service, status, moved, sense] = scalarOutput;
      return { ended: [service, status, moved], sense, bytes: structureOutput };
    };
    const inquiry = await ask(0);
    assert.deepEqual(inquiry.ended, [2, 0, 36]);
    // SPC-4 §6.4.2: direct access, and a length that counts what follows it.
    assert.equal(inquiry.bytes[0], 0);
    assert.ok(inquiry.bytes[4] >= 31);
    const capacity = await ask(1);
    // SBC-3 §5.12: the last block, and bytes of a block, big-endian.
    assert.deepEqual([...capacity.bytes.subarray(0, 8)], [0, 0, 0x07, 0xff, 0, 0, 2, 0]);
    assert.deepEqual((await ask(2, 700)).ended, [2, 0, 512]);
    const read = await ask(3, 700);
    assert.deepEqual(read.ended, [2, 0, 512]);
    assert.ok(read.bytes.every((byte, at) => byte === ((at * 7) & 0xff)));
    assert.ok((await ask(3, 701)).bytes.every((byte) => byte === 0));
    assert.deepEqual((await ask(4)).ended, [2, 0, 0]);
    assert.deepEqual((await ask(5)).ended, [2, 0, 18]);
    // SPC-4 §4.5.6: ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE.
    const refused = await ask(6);
    assert.deepEqual([...refused.ended, refused.sense], [2, 2, 0, 0x05_20_00]);
    assert.equal((await client.call(7)).status, IOReturns.kIOReturnNotPrivileged);
    assert.deepEqual((await client.call(8, { scalarOutputCount: 2 })).scalarOutput, [512, 4]);
    client.close();
  }, application);
  assert.ok(machine.log.show().some(({ message }) => message === "asked for the device's characteristics"));
  dext.close();
});
