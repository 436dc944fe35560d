// MegaRAID's frames: states, scatter lists of three forms, lists of drives, events; bytes and counts that lie.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeEvent,
  decodeLogicalDrives,
  decodePhysicalDrives,
  decodeQueueInfo,
  decodeState,
  describeMfiStatus,
  encodeEvent,
  encodeLogicalDrives,
  encodePhysicalDrives,
  encodeQueueInfo,
  encodeState,
  formatOf,
  getAddress,
  MfiAddressSpace,
  MfiFlag,
  type MfiSge,
  MfiState,
  MfiStatus,
  putAddress,
  putSge,
  readSge,
  type SgeFormat,
  sgeBytes,
  sgeFlags,
} from "./mfi.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

// QEMU's megasas answers 0xb...: state in bits 31:28, MSI-X in 26, entries of a scatter list in 23:16, commands in 15:0.
test("the state register: state, MSI-X, the longest scatter list, commands", () => {
  assert.equal(encodeState(MfiState.ready, 0x50, 1008), 0xb45003f0);
  assert.equal(encodeState(MfiState.fault, 0xff, 0xffff), 0xf4ffffff);
  assert.equal(encodeState(MfiState.undefined, 0, 0), 0x04000000);
  assert.deepEqual(decodeState(0xb45003f0), { state: 0xb, maximumSges: 0x50, maximumCommands: 1008 });
  assert.deepEqual(decodeState(0xffffffff), { state: 0xf, maximumSges: 0xff, maximumCommands: 0xffff });
});

test("statuses in words; one that has no name is told by its number", () => {
  assert.equal(describeMfiStatus(MfiStatus.ok), "ok");
  assert.equal(describeMfiStatus(0x0c), "device not found");
  assert.equal(describeMfiStatus(0x2d), "scsi error");
  assert.equal(describeMfiStatus(0x19), "lba out of range");
  assert.equal(describeMfiStatus(0xab), "status 0xab");
});

test("addresses of 64 bits, the low half first, exact below 2^53", () => {
  const bytes = new Uint8Array(10).fill(0xee);
  putAddress(bytes, 1, 0x0012_3456_89ab_cdef);
  assert.equal(hex(bytes), "eeefcdab8956341200ee");
  assert.equal(getAddress(bytes, 1), 0x0012_3456_89ab_cdef);
  putAddress(bytes, 1, 0xffff_fff0);
  assert.equal(hex(bytes), "eef0ffffff00000000ee");
  assert.equal(getAddress(bytes, 1), 0xffff_fff0);
});

test("scatter entries: 8, 12 and 16 bytes, as the frame's flags announce", () => {
  for (const [format, flags, written] of [
    ["32", 0, "785634120002000000"],
    ["64", 0x06, "7856341201000000" + "00020000"],
    ["ieee", 0x26, "7856341201000000" + "00020000" + "00000040"],
  ] as const) {
    const bytes = new Uint8Array(20).fill(0xee);
    const address = format === "32" ? 0x12345678 : 0x1_1234_5678;
    putSge(bytes, 2, format, address, 512);
    const length = sgeBytes[format];
    assert.equal(hex(bytes.subarray(2, 2 + length)), written.slice(0, 2 * length));
    assert.deepEqual([bytes[1], bytes[2 + length]], [0xee, 0xee], "nothing beside it is touched");
    assert.equal(sgeFlags[format], flags);
    assert.equal(formatOf(flags), format);
    const into: MfiSge = { address: 0, lengthBytes: 0, space: 9 };
    readSge(bytes, 2, format, into);
    assert.deepEqual(into, { address, lengthBytes: 512, space: MfiAddressSpace.system });
  }
  assert.equal(formatOf(MfiFlag.ieeeSge), "ieee");
  assert.equal(formatOf(MfiFlag.sense64), "32");
  assert.equal(formatOf(0xff & ~MfiFlag.ieeeSge), "64");
});

test("an IEEE entry says whose memory it means; the bits above are none of that", () => {
  const bytes = new Uint8Array(16);
  const into: MfiSge = { address: 0, lengthBytes: 0, space: 0 };
  putSge(bytes, 0, "ieee" as SgeFormat, 0x1000, 64, MfiAddressSpace.controller);
  assert.equal(bytes[15], 0x41);
  readSge(bytes, 0, "ieee", into);
  assert.deepEqual(into, { address: 0x1000, lengthBytes: 64, space: 1 });
  bytes[15] = 0xff;
  readSge(bytes, 0, "ieee", into);
  assert.equal(into.space, 3);
});

test("INIT's queue information: flags, entries, and three addresses", () => {
  const info = {
    flags: 0x01020304,
    entries: 1009,
    replies: 0x1_0000_1000,
    producer: 0x2000,
    consumer: 0x2_0000_3000,
  };
  const bytes = encodeQueueInfo(info);
  assert.equal(
    hex(bytes),
    "04030201" + "f1030000" + "0010000001000000" + "0020000000000000" + "0030000002000000",
  );
  assert.deepEqual(decodeQueueInfo(bytes), info);
});

test("the list of logical drives: 1,032 bytes, a row of 16 each from 8 on; counts that lie are cut", () => {
  const drives = [
    { target: 0, state: 3, blocks: 0x1_0000_0800 },
    { target: 7, state: 1, blocks: 2048 },
  ];
  const bytes = encodeLogicalDrives(drives);
  assert.equal(bytes.length, 1032);
  assert.equal(
    hex(bytes.subarray(0, 40)),
    "0200000000000000" + "00000000030000000008000001000000" + "07000000010000000008000000000000",
  );
  assert.deepEqual(decodeLogicalDrives(bytes), drives);
  bytes[1] = 0xff;
  assert.equal(decodeLogicalDrives(bytes).length, 64);
  assert.equal(decodeLogicalDrives(bytes.subarray(0, 8 + 33)).length, 2);
  assert.deepEqual(decodeLogicalDrives(encodeLogicalDrives([])), []);
  const many = Array.from({ length: 70 }, (_, target) => ({ target, state: 3, blocks: 1 }));
  assert.deepEqual(decodeLogicalDrives(encodeLogicalDrives(many)), many.slice(0, 64));
});

test("the list of physical drives: its size, their count, rows of 24 with no enclosure; counts that lie are cut", () => {
  const drives = [
    { id: 0x0102, type: 0 },
    { id: 0x0a00, type: 5 },
  ];
  const bytes = encodePhysicalDrives(drives);
  assert.equal(bytes.length, 56);
  assert.equal(hex(bytes.subarray(0, 8)), "3800000002000000");
  assert.equal(hex(bytes.subarray(8, 16)), "0201ffff00000000");
  assert.equal(hex(bytes.subarray(32, 40)), "000affff01010500");
  assert.deepEqual(decodePhysicalDrives(bytes), drives);
  bytes[6] = 1;
  assert.deepEqual(decodePhysicalDrives(bytes), drives);
  assert.equal(decodePhysicalDrives(bytes.subarray(0, 55)).length, 1);
});

test("an event: number, code, drive, and up to 127 letters that end with a zero", () => {
  const event = { sequence: 0x01020304, code: 0x51, target: 0x0203, text: "state of LD 3 is now offline" };
  const bytes = encodeEvent(event);
  assert.equal(bytes.length, 256);
  assert.equal(hex(bytes.subarray(0, 12)), "04030201" + "00000000" + "51000000");
  assert.equal(hex(bytes.subarray(32, 34)), "0302");
  assert.equal(bytes[128], "s".charCodeAt(0));
  assert.deepEqual(decodeEvent(bytes), event);
  const long = decodeEvent(encodeEvent({ ...event, text: "x".repeat(200) }));
  assert.equal(long.text, "x".repeat(127));
  assert.equal(decodeEvent(encodeEvent({ ...event, text: "é" })).text, "i", "seven bits a letter");
  // Firmware that ends its text nowhere: all that is there.
  bytes.fill(0x61, 128);
  assert.equal(decodeEvent(bytes).text, "a".repeat(128));
});
