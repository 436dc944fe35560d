// CBW, CSW and UAS units against bytes written out from the specifications' tables; mutated ones are refused in order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { streamsOf } from "../usb/descriptors.ts";
import {
  decodeCommandIu,
  decodeStatusIu,
  decodeTaskManagementIu,
  encodePipeUsage,
  IuId,
  PipeUsage,
  pipeUsageOf,
  putCommandIu,
  putReadyIu,
  putResponseIu,
  putSenseIu,
  putTaskManagementIu,
  ResponseCode,
  TaskFunction,
} from "./attached-scsi.ts";
import {
  decodeCommandWrapper,
  decodeStatusWrapper,
  isStatusWrapper,
  putCommandWrapper,
  putStatusWrapper,
} from "./bulk-only.ts";

/** READ(10) of 8 blocks at 0x12345678. */
const read10 = bytesFromHex("28 00 12 34 56 78 00 00 08 00");
/** BOT table 5.1: signature, tag 0x11223344, 4096 bytes, in, LUN 2, 10 CDB bytes. */
const goldenCbw = `55 53 42 43 44 33 22 11 00 10 00 00 80 02 0a 28 00 12 34 56 78 00 00 08 00 00 00 00 00 00 00`;

test("a CBW is laid out as table 5.1 says", () => {
  const bytes = new Uint8Array(31);
  putCommandWrapper(bytes, 0x11223344, 4096, true, 2, read10, 10);
  assert.equal(hexBytes(bytes), goldenCbw);
  const wrapper = decodeCommandWrapper(bytes, 0, 31);
  assert.equal(wrapper.tag, 0x11223344);
  assert.equal(wrapper.dataBytes, 4096);
  assert.equal(wrapper.isIn, true);
  assert.equal(wrapper.lun, 2);
  assert.equal(wrapper.cdbBytes, 10);
  assert.deepEqual(wrapper.cdb.subarray(0, 10), read10);
});

test("a CBW that is not valid or not meaningful is refused at the byte in question", () => {
  const cases: readonly [number, number, number][] = [
    [0, 0x54, 0],
    [12, 0x81, 12],
    [13, 0x12, 13],
    [14, 0, 14],
    [14, 17, 14],
  ];
  for (const [at, value, offset] of cases) {
    const bytes = bytesFromHex(goldenCbw);
    bytes[at] = value;
    assert.throws(
      () => decodeCommandWrapper(bytes, 0, 31),
      (error: unknown) => error instanceof DecodeError && error.offset === offset,
    );
  }
  assert.throws(() => decodeCommandWrapper(bytesFromHex(goldenCbw), 0, 30), DecodeError);
});

test("a CSW is laid out as table 5.2 says", () => {
  const bytes = new Uint8Array(13);
  putStatusWrapper(bytes, 0, 0x11223344, 512, 1);
  assert.equal(hexBytes(bytes), "55 53 42 53 44 33 22 11 00 02 00 00 01");
  assert.deepEqual(decodeStatusWrapper(bytes, 0, 13), { tag: 0x11223344, residue: 512, status: 1 });
  assert.equal(isStatusWrapper(bytes, 0, 12), false);
  bytes[3] = 0x43;
  assert.equal(isStatusWrapper(bytes, 0, 13), false);
});

test("a command IU is laid out as UAS-3 says, with flat LUNs above 255 and long CDBs in dwords", () => {
  const bytes = new Uint8Array(64);
  assert.equal(putCommandIu(bytes, 0x0103, 0, 0x101, read10, 10), 32);
  assert.equal(
    hexBytes(bytes.subarray(0, 32)),
    "01 00 01 03 00 00 00 00 41 01 00 00 00 00 00 00 28 00 12 34 56 78 00 00 08 00 00 00 00 00 00 00",
  );
  const unit = decodeCommandIu(bytes, 0, 32);
  assert.deepEqual([unit.tag, unit.lun, unit.cdbBytes], [0x0103, 0x101, 10]);
  const long = new Uint8Array(32);
  long[0] = 0x7f;
  long[7] = 0x18;
  assert.equal(putCommandIu(bytes, 1, 0, 0, long, 32), 48);
  assert.equal(bytes[6], 16);
  assert.equal(decodeCommandIu(bytes, 0, 48).cdbBytes, 32);
});

test("what comes on a status pipe is laid out as UAS-3 says", () => {
  const bytes = new Uint8Array(268);
  assert.equal(putSenseIu(bytes, 0, 0x0203, 2, bytesFromHex("70 00 06 00"), 4), 20);
  assert.equal(
    hexBytes(bytes.subarray(0, 20)),
    "03 00 02 03 00 00 02 00 00 00 00 00 00 00 00 04 70 00 06 00",
  );
  const unit = decodeStatusIu(bytes, 0, 20);
  assert.deepEqual(
    [unit.id, unit.tag, unit.status, unit.senseAt, unit.senseBytes],
    [IuId.sense, 0x0203, 2, 16, 4],
  );
  // Cut off: what came counts.
  assert.equal(decodeStatusIu(bytes, 0, 18).senseBytes, 2);
  putReadyIu(bytes, 0, IuId.readReady, 5);
  assert.equal(hexBytes(bytes.subarray(0, 4)), "06 00 00 05");
  putReadyIu(bytes, 0, IuId.writeReady, 5);
  assert.equal(hexBytes(bytes.subarray(0, 4)), "07 00 00 05");
  putResponseIu(bytes, 0, 6, ResponseCode.overlappedTag);
  assert.equal(hexBytes(bytes.subarray(0, 8)), "04 00 00 06 00 00 00 0a");
  putTaskManagementIu(bytes, 33, TaskFunction.abortTask, 4, 1);
  assert.equal(hexBytes(bytes.subarray(0, 16)), "05 00 00 21 01 00 00 04 00 01 00 00 00 00 00 00");
  assert.deepEqual(decodeTaskManagementIu(bytes, 0, 16), { tag: 33, function: 1, managedTag: 4, lun: 1 });
});

test("pipe usage descriptors and stream counts", () => {
  assert.equal(hexBytes(encodePipeUsage(PipeUsage.dataOut)), "04 24 04 00");
  assert.equal(pipeUsageOf(bytesFromHex("04 24 02 00")), PipeUsage.status);
  assert.equal(pipeUsageOf(bytesFromHex("05 24 02 00 01")), PipeUsage.status);
  assert.equal(pipeUsageOf(bytesFromHex("06 30 0f 05 00 00")), null);
  assert.deepEqual([0, 1, 5, 16, 17].map(streamsOf), [0, 2, 32, 65_533, 0]);
});

test("300 000 mutated wrappers and units are read, or refused with an offset that is inside or at the end", () => {
  const random = new Random(11);
  const command = new Uint8Array(48);
  putCommandIu(command, 3, 0, 1, read10, 10);
  const seeds: readonly { seed: Uint8Array; read(bytes: Uint8Array): unknown }[] = [
    { seed: bytesFromHex(goldenCbw), read: (bytes) => decodeCommandWrapper(bytes, 0, bytes.length) },
    {
      seed: bytesFromHex("55 53 42 53 44 33 22 11 00 02 00 00 01"),
      read: (bytes) => decodeStatusWrapper(bytes, 0, bytes.length),
    },
    { seed: command, read: (bytes) => decodeCommandIu(bytes, 0, bytes.length) },
    {
      seed: bytesFromHex("03 00 02 03 00 00 02 00 00 00 00 00 00 00 00 04 70 00 06 00"),
      read: (bytes) => decodeStatusIu(bytes, 0, bytes.length),
    },
    {
      seed: bytesFromHex("05 00 00 21 01 00 00 04 00 01 00 00 00 00 00 00"),
      read: (bytes) => decodeTaskManagementIu(bytes, 0, bytes.length),
    },
  ];
  let refused = 0;
  for (let round = 0; round < 300_000; round++) {
    const { seed, read } = seeds[round % seeds.length];
    let bytes = seed.slice();
    for (let change = random.between(1, 3); change > 0; change--)
      bytes[random.below(bytes.length)] = random.below(256);
    if (random.chance(0.2)) bytes = bytes.subarray(0, random.below(bytes.length + 1));
    try {
      read(bytes);
    } catch (error) {
      assert.ok(error instanceof DecodeError);
      assert.ok(error.offset >= 0 && error.offset <= Math.max(bytes.length, 31), String(error.offset));
      refused++;
    }
  }
  assert.ok(refused > 10_000);
});
