// P09: each acceptance criterion of the post.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type WireCommand, whoNeverAsked } from "@drydock/core/dissect/storage-wire";
import { BulkOnlyDriver } from "@drydock/core/drivers/mass-storage/bulk-only-driver";
import { massStorageBundle } from "@drydock/core/drivers/mass-storage/mass-storage-driver";
import { ScsiStatus } from "@drydock/core/ports/scsi-target";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { hostTurn } from "@drydock/node/host-turn";
import { noDirectionBundle, silentUpdaterBundle } from "./bad-driver.ts";
import {
  type DrivePath,
  drivePaths,
  openDrive,
  runUpdate,
  sendCdbUasCase,
  updateFirmware,
  vendorCommands,
} from "./case.ts";
import { goodUpdaterBundle } from "./good-driver.ts";

const options = { seed: 9, turn: hostTurn };
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const verdictOf = (command: WireCommand) => whoNeverAsked(command)?.who ?? "data moved";

async function badPair(path: DrivePath) {
  const drive = await openDrive(silentUpdaterBundle, { ...options, path, lengthFrom: "CBW" });
  const result = await updateFirmware(drive, 4096, 1);
  return { ...result, commands: vendorCommands(drive.rig) };
}

test("P09 AC1: length from the CBW, none in the CDB: Bulk-Only moves N bytes", async () => {
  const { commands, image, load, readBack } = await badPair("Bulk-Only");
  assert.equal(load.answer.fRealizedByteCountOfTransfer, 4096);
  assert.equal(readBack.answer.fRealizedByteCountOfTransfer, 4096);
  assert.deepEqual(readBack.bytes, image);
  assert.deepEqual(
    commands.map(({ statedBytes }) => statedBytes),
    [4096, 4096],
  );
});

test("P09 AC1: the same pair over UAS with streams: 0 bytes, GOOD, the stream was primed and never requested", async () => {
  const { commands, load, readBack } = await badPair("UAS at SuperSpeed");
  for (const { answer } of [load, readBack]) {
    assert.equal(answer.fRealizedByteCountOfTransfer, 0);
    assert.equal(answer.fCompletionStatus, ScsiStatus.good);
  }
  assert.equal(commands.length, 2);
  for (const command of commands) {
    assert.equal(command.statedBytes, null);
    assert.equal(command.data?.requested, 4096);
    assert.equal(command.data?.stream, command.tag);
    assert.equal(command.data?.moved, 0);
    assert.equal(command.asked, false, "ERDY came for the data stream");
    assert.equal(verdictOf(command), "device never asked");
  }
});

test("P09 AC1: and without streams: no READY unit comes", async () => {
  const { commands, load } = await badPair("UAS at high speed");
  assert.equal(load.answer.fRealizedByteCountOfTransfer, 0);
  assert.equal(load.answer.fCompletionStatus, ScsiStatus.good);
  assert.deepEqual(commands.map(verdictOf), ["device never asked", "device never asked"]);
});

test("P09 AC2: direction None over UAS: the device asks, the data stream is never primed", async () => {
  for (const path of ["UAS at SuperSpeed", "UAS at high speed"] as const) {
    const drive = await openDrive(noDirectionBundle, { ...options, path, lengthFrom: "CDB" });
    // The drive waits for data that never come, until the transport gives the command up.
    const { load, readBack } = await updateFirmware(drive, 4096, 1);
    assert.equal(load.answer.fRealizedByteCountOfTransfer, 0);
    assert.equal(readBack.answer.fRealizedByteCountOfTransfer, 0);
    const commands = vendorCommands(drive.rig);
    assert.ok(commands.length >= 2, path);
    for (const command of commands) {
      assert.equal(command.data, null, path);
      assert.equal(command.asked, true, path);
      assert.equal(verdictOf(command), "host never queued", path);
    }
  }
});

/** 512 B to 1 MiB, with sizes that end in short packets. */
const imageSizes = [512, 513, 4096, 65_537, 262_144, 1 << 20];

test("P09 AC3: the good pair: the same bytes on every path, 512 B to 1 MiB", async () => {
  const sums = new Map<number, Set<string>>();
  for (const path of drivePaths) {
    const drive = await openDrive(goodUpdaterBundle, { ...options, path, lengthFrom: "CDB" });
    for (const bytes of imageSizes) {
      const { image, load, readBack } = await updateFirmware(drive, bytes, 3);
      assert.equal(load.answer.fRealizedByteCountOfTransfer, bytes, `${path}, ${bytes}`);
      assert.equal(readBack.answer.fRealizedByteCountOfTransfer, bytes, `${path}, ${bytes}`);
      assert.equal(sha256(drive.firmware.image), sha256(image));
      assert.equal(sha256(readBack.bytes), sha256(image));
      sums.set(bytes, (sums.get(bytes) ?? new Set()).add(sha256(readBack.bytes)));
    }
    assert.equal(drive.rig.device.transport, path === "Bulk-Only" ? "bulk-only" : "uas");
  }
  assert.equal(sums.size, imageSizes.length);
  for (const [bytes, sum] of sums) assert.equal(sum.size, 1, `${bytes} bytes`);
});

test("P09 AC4: one personality for IOSCSIPeripheralDeviceNub matches at both speeds", async () => {
  const nubs: string[] = [];
  for (const path of ["Bulk-Only", "UAS at SuperSpeed"] as const) {
    const { updater } = await openDrive(goodUpdaterBundle, { ...options, path, lengthFrom: "CDB" });
    nubs.push(updater.provider?.kernelClass ?? "");
  }
  assert.deepEqual(nubs, ["IOSCSILogicalUnitNub", "IOSCSIHierarchicalLogicalUnit"]);
});

/** A driver for the interface that scores higher than the kernel's own and knows alternate setting 0 only. */
const outMatching: DriverBundle = {
  kind: "kext",
  identifier: "org.drydock.case.p09.alternate0",
  version: "1",
  teamIdentifier: "CASE000001",
  entitlements: {},
  personalities: {
    "Bulk-Only always": {
      CFBundleIdentifier: "org.drydock.case.p09.alternate0",
      IOClass: "P09BulkOnly",
      IOProviderClass: "IOUSBHostInterface",
      bInterfaceClass: 8,
      bInterfaceSubClass: 6,
      bInterfaceProtocol: 0x50,
      IOProbeScore: 60_000,
    },
  },
  classes: { P09BulkOnly: BulkOnlyDriver },
};

test("P09 AC5: alternate setting 0 by force: Bulk-Only at SuperSpeed, and the old firmware works", async () => {
  for (const transport of [[massStorageBundle("bulk-only")], [massStorageBundle(), outMatching]]) {
    const drive = await openDrive(silentUpdaterBundle, {
      ...options,
      path: "UAS at SuperSpeed",
      lengthFrom: "CBW",
      transport,
    });
    assert.equal(drive.rig.device.transport, "bulk-only");
    const { image, readBack } = await updateFirmware(drive, 4096, 1);
    assert.deepEqual(readBack.bytes, image);
  }
});

test("P09: two faults with one symptom get two sentences (F10)", async () => {
  const silent = await runUpdate("silent", options);
  const none = await runUpdate("no direction", options);
  assert.equal(silent.succeeded || none.succeeded, false);
  assert.match(silent.result, /0 of 4096 bytes .* 0 of 4096 bytes .* the device never asked for them/);
  assert.match(none.result, /0 of 4096 bytes .* 0 of 4096 bytes .* the host never queued a data stage/);
});

test("P09: the case is sound: bad moves nothing, good everything", async () => {
  assert.equal((await sendCdbUasCase.run("bad", options)).succeeded, false);
  const good = await sendCdbUasCase.run("good", options);
  assert.equal(good.succeeded, true, good.result);
});
