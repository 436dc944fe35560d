// A driver that knows how large pages of the IOMMU are works on one kind of system and fails on the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { PciCommand, PciConfig } from "../codec/pci/config-space.ts";
import { PciBoardDevice, PciBoardRegister } from "../devices/pci-board/pci-board-device.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { IODMACommand } from "../runtime/dma-command.ts";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "../runtime/memory.ts";
import { IOService } from "../runtime/service.ts";
import { describeRefusal } from "../transports/sim/iommu.ts";
import { PciRig } from "./pci-rig.ts";

const bufferBytes = 512;
const writesAndCopies = 2;

/** Where a driver believes its second buffer to be for the device; null: where the preparation says. */
type Belief = number | null;

/**
 * A driver that prepares two small buffers, one after the other, and lets the device write into the second. With a belief
 * it computes the address: each mapping has a page of so many bytes, and one lies free between two.
 */
async function secondBuffer(
  profileName: string,
  believedPage: Belief,
): Promise<{ got: number; refusals: string[] }> {
  const profile = platformProfile(profileName);
  const rig = new PciRig({ seed: 1, turn: hostTurn, profile, timing: "none" });
  const { family, machine, pci } = rig;
  const board = new PciBoardDevice({ clock: machine.scheduler });
  pci.bus.plugIn(board, 1);
  await machine.run(1e9);
  const [device] = family.devices;
  const client = machine.publish({ kernelClass: "IOService" }, (context) => new IOService(context));
  board.buffer.fill(0xa5);
  const got = await machine.perform(async () => {
    await device.open(client);
    device.configurationWrite16(PciConfig.command, PciCommand.memorySpace | PciCommand.busMaster);
    const prepared = ["first", "second"].map((name) => {
      const memory = IOBufferMemoryDescriptor.create(
        client.process.memory,
        kIOMemoryDirectionOutIn,
        bufferBytes,
        0,
      ).value;
      const command = IODMACommand.create(device, 0, { maxAddressBits: 32 }, `${name} buffer`).value;
      assert.ok(memory !== null && command !== null);
      const { segments } = command.prepareForDMA(0, memory, 0, 0);
      assert.equal(segments.length, 1);
      return { memory, command, address: segments[0].address };
    });
    const address = believedPage === null ? prepared[1].address : prepared[0].address + 2 * believedPage;
    device.memoryWrite32(0, PciBoardRegister.dmaLow, address);
    device.memoryWrite32(0, PciBoardRegister.dmaLength, bufferBytes);
    device.memoryWrite32(0, PciBoardRegister.dmaControl, writesAndCopies);
    await device.memoryRead32(0, PciBoardRegister.identity);
    const [first] = prepared[1].memory.bytes;
    for (const { command } of prepared) command.completeDMA(0);
    return first;
  });
  return { got, refusals: pci.iommu.refusals.map(describeRefusal) };
}

const systems = [
  { profile: "macos15", page: 16_384 },
  { profile: "macos15-intel", page: 4096 },
] as const;

for (const { profile, page } of systems) {
  test(`${profile}: pages of ${page} bytes; the driver that asks works`, async () => {
    assert.equal(platformProfile(profile).ioPageBytes, page);
    assert.deepEqual(await secondBuffer(profile, null), { got: 0xa5, refusals: [] });
  });
  for (const believed of [4096, 16_384]) {
    const works = believed === page;
    test(`${profile}: a driver that believes in pages of ${believed} bytes ${works ? "works here" : "fails"}`, async () => {
      const { got, refusals } = await secondBuffer(profile, believed);
      assert.equal(got, works ? 0xa5 : 0);
      if (works) assert.deepEqual(refusals, []);
      // Posted: the device learnt nothing; the ledger names who, where and what was missed by how much.
      else {
        assert.equal(refusals.length, 1);
        assert.match(
          refusals[0],
          /write of 512 bytes at 0x[0-9a-f]+ refused: (no mapping|past the end); missed "(first|second) buffer"/,
        );
      }
    });
  }
}
