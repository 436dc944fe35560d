// P16: each acceptance criterion of the post, each refusal by its reason, and the doctor on what the runs leave.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IOReturns } from "@drydock/core/base/io-return";
import { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import { type IOAddressSegment, IODMACommand } from "@drydock/core/runtime/dma-command";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "@drydock/core/runtime/memory";
import { UntranslatedMemory } from "@drydock/core/transports/sim/untranslated-memory";
import { diagnose } from "@drydock/doctor/diagnose";
import { hostTurn } from "@drydock/node/host-turn";
import { evidenceOfRun } from "../case-report.ts";
import { contiguousDmaCase } from "./case.ts";
import { RingBench } from "./ring-bench.ts";

const options = { seed: 16, turn: hostTurn };
const faultKey = "pci-dart-error-data";
const mebibyte = 1 << 20;

/** The nub and the driver's memory, for calls that a driver would make. */
async function nubOf(bench: RingBench) {
  const { machine, family } = bench.rig;
  await machine.scheduler.run(10e9, () => bench.device !== undefined);
  const [nub] = family.devices;
  assert.ok(nub instanceof IOPCIDevice);
  const { process } = bench.rig.driver ?? {};
  assert.ok(process !== undefined);
  return { nub, space: process.memory };
}

const segmentsOf = async (memory: "iommu" | "fragmented") => {
  const { nub, space } = await nubOf(new RingBench({ ...options, fault: null, memory }));
  const ring = IOBufferMemoryDescriptor.create(space, kIOMemoryDirectionOutIn, mebibyte, 16_384).value;
  const command = IODMACommand.create(nub, 0, { maxAddressBits: 32 }).value;
  assert.ok(ring !== null && command !== null);
  const segments: IOAddressSegment[] = [];
  for (let offset = 0; offset < mebibyte; ) {
    const prepared = command.prepareForDMA(0, ring, offset, 0);
    assert.equal(prepared.status, IOReturns.kIOReturnSuccess);
    assert.ok(prepared.segments.length <= 32);
    segments.push(...prepared.segments);
    offset = segments.reduce((sum, { length }) => sum + length, 0);
  }
  return segments;
};

test("P16 AC1: 1 MiB is one segment with an IOMMU, and 64 without, 32 of them for each call", async () => {
  assert.equal((await segmentsOf("iommu")).length, 1);
  const pieces = await segmentsOf("fragmented");
  assert.equal(pieces.length, 64);
  for (const [at, { address, length }] of pieces.entries()) {
    assert.equal(length, 16_384);
    for (const other of pieces.slice(0, at)) assert.notEqual(Math.abs(other.address - address), length);
  }
});

for (const memory of ["iommu", "fragmented"] as const)
  test(`P16 AC1: the good driver's ring of 1 MiB plays whole, twice round: ${memory}`, async () => {
    const bench = new RingBench({ ...options, fault: null, memory, seconds: 12 });
    const device = await bench.run();
    assert.equal(bench.check.isWhole, true, `frame ${bench.check.wrongAt}`);
    assert.equal(device?.overloads, 0);
    assert.ok((device?.clock?.timestamps ?? 0) >= 3);
    const { iommu } = bench.rig.pci;
    assert.equal(iommu.refusedCount, 0);
    if (iommu instanceof UntranslatedMemory) assert.equal(iommu.strays, 0);
  });

for (const fault of ["cpu-address", "physical-page"] as const)
  test(`P16 AC2: ${fault}: the IOMMU refuses by name and the sound is silence`, async () => {
    const bench = new RingBench({ ...options, fault });
    await bench.run();
    const { iommu } = bench.rig.pci;
    assert.equal(bench.check.matched, 0);
    assert.ok(iommu.refusedCount > 0);
    const [{ address, isWrite, reason }] = iommu.refusals;
    assert.deepEqual([reason, isWrite], ["no mapping", false]);
    // The CPU's address has more than 32 bits, and its lower half is what the hardware was told.
    assert.equal(address < 2 ** 32, true);
    const { hearing } = bench.rig.device;
    assert.equal(hearing.refusedFrames, hearing.frames);
    assert.ok((bench.rig.driver?.counters.fifoErrors ?? 0) > 0);
  });

test("P16 AC2: only the first segment, without an IOMMU: the sound breaks after 16 KiB, and nobody refuses anything", async () => {
  // A ring of 64 KiB: of one of 1 MiB the first 16 KiB are over before the server begins to write.
  const bench = new RingBench({
    ...options,
    fault: "first-segment",
    memory: "fragmented",
    ringFrames: 16_384,
  });
  await bench.run();
  const { check, rig } = bench;
  // 4096 frames are 16 KiB; the first ones are silence before the server has begun.
  assert.equal(check.leadFrames + (check.wrongAt ?? Number.NaN), 4096);
  assert.equal(rig.pci.iommu.refusedCount, 0);
  assert.ok((rig.pci.iommu as UntranslatedMemory).strays > 0);
});

test("P16 AC2: the same driver with an IOMMU has no fault: one segment is all there is", async () => {
  const bench = new RingBench({ ...options, fault: "first-segment" });
  await bench.run();
  assert.equal(bench.check.isWhole, true);
});

test("P16 AC3: a minute of audio, no underrun, and what was played is the source frame for frame", async () => {
  const bench = new RingBench({ ...options, fault: null, seconds: 60 });
  const device = await bench.run();
  assert.deepEqual([bench.check.isWhole, bench.check.matched], [true, 60 * 48_000]);
  assert.equal(bench.rig.device.hearing.ranDry, 0);
  assert.equal(bench.rig.driver?.counters.underruns, 0);
  assert.equal(device?.overloads, 0);
  assert.equal(device?.clock?.jumps, 0);
});

test("P16 AC4: a bit that is no direction is kIOReturnBadArgument, and the driver says where", async () => {
  const bench = new RingBench({ ...options, fault: "asks-contiguous" });
  assert.equal(await bench.run(), null);
  const { result } = bench.caseRun();
  assert.match(result, /no audio device/);
  const { space } = await nubOf(new RingBench({ ...options, fault: null }));
  for (const bit of [0x10, 0x20, 0x40, 0x100, 0x400]) {
    const { status, value } = IOBufferMemoryDescriptor.create(space, 3 | bit, 4096, 4096);
    assert.deepEqual([status, value], [IOReturns.kIOReturnBadArgument, null]);
  }
});

test("P16 AC4: 24 address bits: never above 16 MiB, and when they are used up an error, never a short address", async () => {
  const { nub, space } = await nubOf(new RingBench({ ...options, fault: null }));
  const commands: IODMACommand[] = [];
  for (;;) {
    const memory = IOBufferMemoryDescriptor.create(space, kIOMemoryDirectionOutIn, mebibyte, 4096).value;
    const command = IODMACommand.create(nub, 0, { maxAddressBits: 24 }).value;
    assert.ok(memory !== null && command !== null);
    const { status, segments } = command.prepareForDMA(0, memory, 0, 0);
    if (status !== IOReturns.kIOReturnSuccess) {
      assert.equal(status, IOReturns.kIOReturnMessageTooLarge);
      assert.equal(segments.length, 0);
      break;
    }
    assert.equal(segments.length, 1);
    assert.ok(segments[0].address + segments[0].length <= 2 ** 24);
    commands.push(command);
  }
  assert.ok(commands.length >= 13, `${commands.length} MiB`);
  // Given back, they are there again, and the usual window has not been touched.
  for (const command of commands) command.completeDMA(0);
  const again = IOBufferMemoryDescriptor.create(space, kIOMemoryDirectionOutIn, mebibyte, 4096).value;
  assert.equal(commands[0].prepareForDMA(0, again, 0, 0).status, IOReturns.kIOReturnSuccess);
});

test("P16 AC5: CompleteDMA while the engine runs: the fault has the exact address, latched until it is read", async () => {
  const bench = new RingBench({ ...options, fault: "completes-early", ringFrames: 16_384 });
  const device = await bench.begin();
  const { family, machine, pci } = bench.rig;
  await machine.scheduler.run(machine.scheduler.nowNs() + 0.2e9);
  const [nub] = family.devices;
  const [ring] = [...pci.iommu.mappings].filter(({ owner }) => owner === "audio ring");
  assert.equal(nub.copyProperties()[faultKey], undefined);
  device?.stop();
  await machine.scheduler.run(machine.scheduler.nowNs() + 1e9);
  const [first] = pci.iommu.refusals;
  assert.ok(first.address >= ring.base && first.address < ring.base + ring.lengthBytes);
  assert.match(first.nearest ?? "", /audio ring.*unmapped at/);
  const record = nub.properties[faultKey];
  assert.ok(record instanceof Uint8Array && record.length >= 20 && record.length % 20 === 0);
  // A read takes nothing away; the next event begins anew.
  assert.deepEqual(nub.properties[faultKey], record);
  family.dmaFault(nub.location, 0x1234);
  const fresh = nub.properties[faultKey];
  assert.ok(fresh instanceof Uint8Array && fresh.length === 20);
});

test("P16 AC5: the same where such an error stops the machine: the text of the report, and the doctor knows it", async () => {
  const bench = new RingBench({
    ...options,
    fault: "completes-early",
    panicsOnDmaFault: true,
    ringFrames: 16_384,
  });
  const device = await bench.begin();
  const { machine } = bench.rig;
  await machine.scheduler.run(machine.scheduler.nowNs() + 0.2e9);
  assert.equal(bench.caseRun().evidence?.length, 2, "no panic yet");
  device?.stop();
  await machine.scheduler.run(machine.scheduler.nowNs() + 1e9);
  const { failure } = machine;
  assert.equal(failure?.kind, "panic");
  assert.match(failure?.text ?? "", /SPTM.*VIOLATION_T8110_DART_INVALID_ERR_MASK.*err_mask\(0x80180000\)/);
  let name = 0;
  const { answers } = await diagnose(evidenceOfRun(bench.caseRun(), () => `file-${++name}`));
  assert.equal(answers[0]?.rule, "DR16-5", JSON.stringify(answers.map(({ rule }) => rule)));
});

test("P16 AC5: the good driver in the same machine stops without a fault", async () => {
  const bench = new RingBench({ ...options, fault: null, panicsOnDmaFault: true, seconds: 1 });
  await bench.run();
  assert.equal(bench.rig.machine.failure, null);
  assert.equal(bench.check.isWhole, true);
});

test("P16: the case is sound: bad is silence with its reason, good is heard", async () => {
  const bad = await contiguousDmaCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /frames of silence, as the IOMMU refused/);
  const good = await contiguousDmaCase.run("good", options);
  assert.equal(good.succeeded, true, good.result);
});
