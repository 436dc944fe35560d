// NVMe's entries and identify pages: offsets of the standard, values that QEMU 7.2 gave, and what must be refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import {
  decodeEvent,
  describeStatus,
  newCommand,
  newCompletion,
  readCommand,
  readCompletion,
  writeCommand,
  writeCompletion,
} from "./commands.ts";
import {
  decodeController,
  decodeNamespace,
  encodeController,
  encodeNamespace,
  identifyBytes,
} from "./identify.ts";
import {
  completionDoorbell,
  decodeCapabilities,
  encodeCapabilities,
  submissionDoorbell,
} from "./registers.ts";

test("CAP as QEMU 7.2 has it: 004018200F0107FFh (pci-devices.md §8)", () => {
  const capabilities = decodeCapabilities(0x0f0107ff, 0x00401820);
  assert.equal(capabilities.queueEntries, 2048);
  assert.equal(capabilities.timeoutMs, 7500);
  assert.equal(capabilities.doorbellStride, 4);
  assert.equal(capabilities.pageBytesMinimum, 4096);
  assert.equal(capabilities.pageBytesMaximum, 65536);
  const { low, high } = encodeCapabilities(capabilities);
  assert.deepEqual(decodeCapabilities(low, high), capabilities);
  assert.equal(submissionDoorbell(1, 4), 0x1008);
  assert.equal(completionDoorbell(1, 4), 0x100c);
});

test("a read of 8 blocks, byte for byte where §4.2 puts it", () => {
  const command = newCommand();
  command.opcode = 2;
  command.commandId = 0x1234;
  command.namespaceId = 1;
  command.prp1 = 0x1_2345_6000;
  command.prp2 = 0x2_0000_0000;
  command.dw10 = 0x89abcdef;
  command.dw12 = 7;
  const bytes = new Uint8Array(64).fill(0xee);
  writeCommand(bytes, 0, command);
  assert.deepEqual([...bytes.subarray(0, 8)], [2, 0, 0x34, 0x12, 1, 0, 0, 0]);
  assert.deepEqual([...bytes.subarray(24, 40)], [0, 0x60, 0x45, 0x23, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
  assert.deepEqual([...bytes.subarray(40, 44)], [0xef, 0xcd, 0xab, 0x89]);
  assert.equal(bytes[48], 7);
  const again = newCommand();
  readCommand(bytes, 0, again);
  assert.deepEqual(again, command);
});

test("a completion: the status word of an LBA out of range in QEMU is 4080h with the phase shifted out", () => {
  const bytes = new Uint8Array(16);
  putU32le(bytes, 8, 0x0001_0005);
  putU32le(bytes, 12, ((0x4080 << 1) | 1) * 65536 + 0x77);
  const completion = newCompletion();
  readCompletion(bytes, 0, completion);
  assert.deepEqual(
    [completion.submissionHead, completion.submissionQueue, completion.commandId, completion.phase],
    [5, 1, 0x77, 1],
  );
  assert.equal(describeStatus(completion.status), "lba range (0/80h)");
  assert.equal(completion.isFinal, true);
  const again = new Uint8Array(16);
  writeCompletion(again, 0, completion);
  assert.deepEqual(again, bytes);
});

test("the event after a temperature warning in QEMU: 00020101h", () => {
  assert.deepEqual(decodeEvent(0x00020101), { type: 1, information: 1, logPage: 2 });
});

test("identify pages: round trips, QEMU's MDTS of 7, and what must be refused", () => {
  const controller = {
    vendorId: 0x1b36,
    serialNumber: "S",
    modelNumber: "QEMU NVMe Ctrl",
    firmware: "7.2.22",
    maximumTransferPages: 128,
    version: 0x00010400,
    abortLimit: 4,
    eventLimit: 4,
    namespaceCount: 256,
    hasVolatileCache: true,
    hasSgl: true,
    hasWriteZeroes: true,
    hasDatasetManagement: true,
    hasCompare: false,
    lastPowerState: 0,
  };
  const page = encodeController(controller);
  assert.equal(page[77], 7);
  assert.deepEqual(decodeController(page), controller);
  page[512] = 0x77;
  assert.throws(() => decodeController(page), DecodeError);
  const namespace = { blockCount: 131072, capacity: 131072, used: 5, blockBytes: 512, metadataBytes: 0 };
  const second = encodeNamespace(namespace);
  assert.deepEqual(decodeNamespace(second), namespace);
  second[26] = 3;
  assert.throws(() => decodeNamespace(second), /format 3 of 1/);
  assert.throws(() => decodeNamespace(new Uint8Array(identifyBytes).fill(0xff)), DecodeError);
  assert.throws(() => decodeNamespace(new Uint8Array(64)), DecodeError);
});

test("any page decodes or is refused with an offset", () => {
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const bytes = new Uint8Array(identifyBytes);
    for (let at = 0; at < bytes.length; at++) bytes[at] = random.next32() >>> 24;
    for (const read of [() => decodeController(bytes), () => decodeNamespace(bytes)]) {
      try {
        read();
      } catch (error) {
        assert.ok(error instanceof DecodeError && error.offset <= identifyBytes, String(error));
      }
    }
  }
});
