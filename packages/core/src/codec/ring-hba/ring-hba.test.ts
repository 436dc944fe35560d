// The small adapter's entries: where each field lies, and that reading gives back what was written.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  newRingHbaReply,
  newRingHbaRequest,
  RingHbaSpace,
  readRingHbaReply,
  readRingHbaRequest,
  writeRingHbaReply,
  writeRingHbaRequest,
} from "./ring-hba.ts";

test("a request lies as the adapter's page says, and comes back", () => {
  const request = newRingHbaRequest();
  Object.assign(request, { tag: 0x0102, target: 3, lun: 4, cdbBytes: 6, senseAddress: 0x1_0000_2000 });
  Object.assign(request, { address: 0x12_3456_7890, lengthBytes: 0x200, space: RingHbaSpace.local });
  request.cdb.set([0x12, 0, 0, 0, 36, 0]);
  const bytes = new Uint8Array(128).fill(0xee);
  writeRingHbaRequest(bytes, 64, request);
  assert.deepEqual([...bytes.subarray(64, 70)], [2, 1, 3, 4, 6, 0]);
  assert.deepEqual([...bytes.subarray(72, 80)], [0, 0x20, 0, 0, 1, 0, 0, 0]);
  assert.deepEqual([...bytes.subarray(96, 104)], [0x90, 0x78, 0x56, 0x34, 0x12, 0, 0, 0]);
  assert.deepEqual([bytes[105], bytes[111], bytes[63]], [2, 1, 0xee]);
  const read = newRingHbaRequest();
  readRingHbaRequest(bytes, 64, read);
  assert.deepEqual(read, request);
});

test("a reply has its phase in the last bit, after everything else", () => {
  const reply = {
    ...newRingHbaReply(),
    tag: 0xbeef,
    status: 1,
    scsiStatus: 2,
    movedBytes: 512,
    senseBytes: 18,
    phase: 1,
  };
  const bytes = new Uint8Array(16);
  writeRingHbaReply(bytes, 0, reply);
  assert.deepEqual([...bytes], [0xef, 0xbe, 1, 2, 0, 2, 0, 0, 18, 0, 0, 0, 0, 0, 0, 1]);
  const read = newRingHbaReply();
  readRingHbaReply(bytes, 0, read);
  assert.deepEqual(read, reply);
});
