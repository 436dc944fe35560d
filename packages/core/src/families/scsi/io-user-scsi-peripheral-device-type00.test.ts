// driverkit-families.md §6: the rules of UserSendCDB and its relatives, and which code each mistake gets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { writeInquiry, writeModeSense6, writeReadWrite, writeTestUnitReady } from "../../codec/scsi/cdb.ts";
import { defaultStorageRig, type StorageRig, type StorageRigOptions } from "../../rigs/storage-rig.ts";
import type { Address } from "../../runtime/address-space.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { IOError } from "../../runtime/io-error.ts";
import { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { storageCommands } from "../../trace/storage-trace.ts";
import {
  IOUserSCSIPeripheralDeviceType00,
  newType00OutParameters,
  type SCSIType00OutParameters,
} from "./io-user-scsi-peripheral-device-type00.ts";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE,
  kSCSIServiceResponse_TASK_COMPLETE,
  kSCSITaskStatus_CHECK_CONDITION,
} from "./scsi-task.ts";

class PlainDriver extends IOUserSCSIPeripheralDeviceType00 {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }
}

function bundle(ioClass = "IOUserSCSIPeripheralDeviceType00"): DriverBundle {
  return {
    identifier: "org.drydock.test.scsi",
    version: "1",
    teamIdentifier: "TEST000001",
    entitlements: { "com.apple.developer.driverkit": true },
    personalities: {
      Disk: {
        CFBundleIdentifier: "org.drydock.test.scsi",
        IOClass: ioClass,
        IOUserClass: "PlainDriver",
        IOUserServerName: "org.drydock.test.scsi",
        IOProviderClass: "IOSCSIPeripheralDeviceNub",
        "Peripheral Device Type": 0,
        IOProbeScore: 50_000,
      },
    },
    classes: { PlainDriver },
  };
}

interface Bench {
  readonly rig: StorageRig;
  readonly driver: PlainDriver;
}

async function open(options: Partial<StorageRigOptions> = {}): Promise<Bench> {
  const rig = defaultStorageRig(1, hostTurn, options);
  rig.machine.install(bundle());
  await rig.openMedia();
  const [driver] = rig.machine.registry.byClass("PlainDriver");
  assert.ok(driver instanceof PlainDriver);
  return { rig, driver };
}

/** What `call` ends with: null for success, else the code. */
async function codeOf({ rig }: Bench, call: () => unknown): Promise<IOReturn | null> {
  try {
    await rig.machine.perform(async () => await call());
    return null;
  } catch (error) {
    if (!(error instanceof IOError)) throw error;
    return error.code;
  }
}

/** An INQUIRY of 36 bytes with everything right, into a buffer of the dext. */
function inquiry({ driver }: Bench): SCSIType00OutParameters {
  const command = newType00OutParameters();
  writeInquiry(command.fCommandDescriptorBlock, null, 36);
  command.fTimeoutDuration = 1000;
  command.fRequestedByteCountOfTransfer = 36;
  command.fBufferDirection = kIOMemoryDirectionIn;
  command.fDataTransferDirection = kSCSIDataTransfer_FromTargetToInitiator;
  command.fDataBufferAddr = driver.process.memory.allocate(36, "inquiry", true);
  return command;
}

const send = (bench: Bench, command: SCSIType00OutParameters) =>
  bench.rig.machine.perform(() => bench.driver.userSendCDB(command));

test("a command with data: success, complete, the realised count, the bytes in the dext's buffer", async () => {
  const bench = await open();
  const command = inquiry(bench);
  assert.deepEqual(await send(bench, command), {
    fCompletionStatus: 0,
    fServiceResponse: kSCSIServiceResponse_TASK_COMPLETE,
    fRealizedByteCountOfTransfer: 36,
    fSenseDataValid: false,
  });
  const data = bench.driver.process.memory.read(command.fDataBufferAddr, 36);
  assert.equal(Buffer.from(data.subarray(8, 16)).toString("latin1"), "DRYDOCK ");
});

test("less than was asked for is told by the realised count alone", async () => {
  const bench = await open();
  const command = inquiry(bench);
  writeInquiry(command.fCommandDescriptorBlock, null, 5);
  assert.equal((await send(bench, command)).fRealizedByteCountOfTransfer, 5);
});

test("opcodes C0h to FFh need exclusive access, BFh and below do not: 0xe00002c1", async () => {
  const bench = await open();
  const command = newType00OutParameters();
  for (const opcode of [0xc0, 0xff]) {
    command.fCommandDescriptorBlock[0] = opcode;
    assert.equal(
      await codeOf(bench, () => bench.driver.userSendCDB(command)),
      IOReturns.kIOReturnNotPrivileged,
    );
  }
  const before = storageCommands(bench.rig.usb.trace).length;
  assert.ok(!storageCommands(bench.rig.usb.trace).some(({ cdb }) => cdb[0] >= 0xc0), "nothing is on the bus");
  await bench.rig.machine.perform(() => bench.driver.userSuspendServices());
  // The disk does not know it, which is the disk's word and no failure of the call.
  assert.equal((await send(bench, command)).fCompletionStatus, kSCSITaskStatus_CHECK_CONDITION);
  assert.equal(storageCommands(bench.rig.usb.trace).length > before, true);
  await bench.rig.machine.perform(() => bench.driver.userResumeServices());
  assert.equal(
    await codeOf(bench, () => bench.driver.userSendCDB(command)),
    IOReturns.kIOReturnNotPrivileged,
  );
  command.fCommandDescriptorBlock[0] = 0xbf;
  assert.equal((await send(bench, command)).fCompletionStatus, kSCSITaskStatus_CHECK_CONDITION);
});

test("exclusive access: not while the medium is open; it goes, and comes back with resume", async () => {
  const bench = await open();
  const { driver, rig } = bench;
  const [media] = rig.media;
  media.connect({ completed: () => {}, detached: () => {} });
  assert.equal(await codeOf(bench, () => driver.userSuspendServices()), IOReturns.kIOReturnBusy);
  const other = await open();
  await other.rig.machine.perform(() => other.driver.userSuspendServices());
  assert.equal(other.rig.media.length, 0);
  assert.equal(
    await codeOf(other, () => other.driver.userReportMediumBlockSize()),
    IOReturns.kIOReturnNotReady,
  );
  await other.rig.machine.perform(() => other.driver.userResumeServices());
  assert.equal(other.rig.media.length, 1);
  assert.equal(other.driver.userReportMediumBlockSize(), 512);
});

test("sense: with CHECK CONDITION and a buffer only, cut to what was asked for; more than 22 fails", async () => {
  const bench = await open();
  const { memory } = bench.driver.process;
  const command = newType00OutParameters();
  command.fCommandDescriptorBlock[0] = 0xbf;
  command.fSenseBufferAddr = memory.allocate(22, "sense", true);
  for (const length of [18, 22, 4]) {
    memory.fill(command.fSenseBufferAddr, 0xee, 22);
    command.fSenseLengthRequested = length;
    assert.equal((await send(bench, command)).fSenseDataValid, true);
    const sense = memory.read(command.fSenseBufferAddr, 22);
    assert.equal(sense[2] & 0x0f, 0x05);
    assert.ok(
      sense.subarray(Math.min(length, 18)).every((byte) => byte === 0xee),
      `${length} bytes were asked for`,
    );
  }
  command.fSenseLengthRequested = 23;
  assert.equal(await codeOf(bench, () => bench.driver.userSendCDB(command)), IOReturns.kIOReturnBadArgument);
  command.fSenseLengthRequested = 18;
  command.fSenseBufferAddr = 0 as Address;
  assert.equal((await send(bench, command)).fSenseDataValid, false);
  const good = inquiry(bench);
  good.fSenseLengthRequested = 18;
  good.fSenseBufferAddr = memory.allocate(18, "sense", true);
  assert.equal((await send(bench, good)).fSenseDataValid, false);
});

test("bad arguments: no buffer for data, a short CDB", async () => {
  const bench = await open();
  const noBuffer = inquiry(bench);
  noBuffer.fDataBufferAddr = 0 as Address;
  assert.equal(await codeOf(bench, () => bench.driver.userSendCDB(noBuffer)), IOReturns.kIOReturnBadArgument);
  const short = { ...inquiry(bench), fCommandDescriptorBlock: new Uint8Array(6) };
  assert.equal(await codeOf(bench, () => bench.driver.userSendCDB(short)), IOReturns.kIOReturnBadArgument);
});

test("the two directions have two encodings: only both right move data (the table of DR09-3)", async () => {
  const bench = await open();
  const table: [number, number, number][] = [
    [kIOMemoryDirectionIn, kSCSIDataTransfer_FromTargetToInitiator, 36],
    [kIOMemoryDirectionOut, kSCSIDataTransfer_FromTargetToInitiator, 0],
    [kIOMemoryDirectionIn, kSCSIDataTransfer_FromInitiatorToTarget, 0],
    [kIOMemoryDirectionIn, 0, 0],
    [0, kSCSIDataTransfer_FromTargetToInitiator, 0],
  ];
  for (const [buffer, transfer, realized] of table) {
    const command = inquiry(bench);
    command.fBufferDirection = buffer;
    command.fDataTransferDirection = transfer;
    assert.equal(
      (await send(bench, command)).fRealizedByteCountOfTransfer,
      realized,
      `${buffer}, ${transfer}`,
    );
  }
  const notes = bench.rig.machine.notes.filter((note) => note.includes("do not agree"));
  assert.equal(notes.length, 4);
});

test("data to the unit: a block written by the dext is read back by it", async () => {
  const bench = await open();
  const { memory } = bench.driver.process;
  const command = newType00OutParameters();
  command.fTimeoutDuration = 1000;
  command.fRequestedByteCountOfTransfer = 512;
  command.fDataBufferAddr = memory.allocate(512, "block", true);
  const block = Uint8Array.from({ length: 512 }, (_, index) => index & 0xff);
  memory.write(command.fDataBufferAddr, block);
  command.fBufferDirection = kIOMemoryDirectionOut;
  command.fDataTransferDirection = kSCSIDataTransfer_FromInitiatorToTarget;
  writeReadWrite(command.fCommandDescriptorBlock, "write", 10, 77, 1);
  assert.equal((await send(bench, command)).fRealizedByteCountOfTransfer, 512);
  memory.fill(command.fDataBufferAddr, 0, 512);
  command.fBufferDirection = kIOMemoryDirectionIn;
  command.fDataTransferDirection = kSCSIDataTransfer_FromTargetToInitiator;
  writeReadWrite(command.fCommandDescriptorBlock, "read", 10, 77, 1);
  await send(bench, command);
  assert.deepEqual(memory.read(command.fDataBufferAddr, 512), block);
});

test("a personality with IOClass IOUserService: kIOReturnUnsupported for every call (749459)", async () => {
  const rig = defaultStorageRig(1, hostTurn);
  rig.machine.install(bundle("IOUserService"));
  await rig.machine.scheduler.run(5e9, () => rig.machine.registry.byClass("PlainDriver").length > 0);
  const [driver] = rig.machine.registry.byClass("PlainDriver");
  assert.ok(driver instanceof PlainDriver);
  const bench = { rig, driver };
  const command = newType00OutParameters();
  writeTestUnitReady(command.fCommandDescriptorBlock);
  for (const call of [
    () => driver.userSendCDB(command),
    () => driver.userReportMediumBlockSize(),
    () => driver.userSuspendServices(),
    () => driver.userResetDevice(),
  ])
    assert.equal(await codeOf(bench, call), IOReturns.kIOReturnUnsupported);
});

test("the device leaves under a command: not delivered; kIOReturnNoDevice for the next one", async () => {
  const bench = await open();
  const { driver, rig } = bench;
  const command = newType00OutParameters();
  command.fTimeoutDuration = 1000;
  writeModeSense6(command.fCommandDescriptorBlock, { page: 0x08, allocationBytes: 64 });
  const first = await rig.machine.perform(async () => {
    rig.usb.bus.unplug(1);
    return await driver.userSendCDB(command);
  });
  assert.equal(first.fServiceResponse, kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
  await rig.machine.run();
  assert.equal(await codeOf(bench, () => driver.userSendCDB(command)), IOReturns.kIOReturnNoDevice);
  assert.equal(rig.machine.failure, null);
});
