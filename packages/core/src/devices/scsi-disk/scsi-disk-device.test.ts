// The disk's answers to what every initiator asks first, its data path, and its write cache at a power cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex } from "../../base/text.ts";
import {
  writeInquiry,
  writeModeSense6,
  writeReadCapacity10,
  writeReadCapacity16,
  writeReadWrite,
  writeReportLuns,
  writeRequestSense,
  writeSynchronizeCache,
  writeTestUnitReady,
} from "../../codec/scsi/cdb.ts";
import {
  decodeReadCapacity10,
  decodeReadCapacity16,
  decodeReportLuns,
  decodeStandardInquiry,
} from "../../codec/scsi/inquiry.ts";
import { decodeCachingPage, ModePage } from "../../codec/scsi/mode-pages.ts";
import { ScsiStatus } from "../../ports/scsi-target.ts";
import { ScsiDiskBench } from "./scsi-disk-bench.ts";

const pattern = (bytes: number, start = 1) =>
  Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + start) & 0xff);

test("each initiator hears of the power-on once; INQUIRY and REPORT LUNS do not wait for it", () => {
  const bench = new ScsiDiskBench();
  for (const initiator of [0, 3]) {
    assert.equal(bench.run((cdb) => writeInquiry(cdb, null, 36), { initiator }).status, ScsiStatus.good);
    assert.equal(bench.run((cdb) => writeReportLuns(cdb, 64), { initiator }).status, ScsiStatus.good);
    assert.equal(bench.run(writeTestUnitReady, { initiator }).sense, "6/29/00");
    assert.equal(bench.run(writeTestUnitReady, { initiator }).status, ScsiStatus.good);
  }
});

test("INQUIRY is cut to the allocation length and says how much there is", () => {
  const bench = new ScsiDiskBench().ready();
  const six = bench.run((cdb) => writeInquiry(cdb, null, 6));
  assert.equal(six.movedBytes, 6);
  const all = bench.run((cdb) => writeInquiry(cdb, null, six.data[4] + 5));
  assert.equal(all.movedBytes, 96);
  const found = decodeStandardInquiry(all.data);
  assert.deepEqual([found.vendor, found.product, found.deviceType], ["DRYDOCK", "VIRTUAL DISK", 0]);
});

test("capacities of 512 bytes and of 66 TB", () => {
  const small = new ScsiDiskBench().ready();
  assert.deepEqual(decodeReadCapacity10(small.run(writeReadCapacity10).data), {
    blockCount: 2048,
    blockBytes: 512,
  });
  const large = new ScsiDiskBench([{ blockCount: 128_906_250_000 }]).ready();
  assert.equal(decodeReadCapacity10(large.run(writeReadCapacity10).data).blockCount, null);
  assert.equal(
    decodeReadCapacity16(large.run((cdb) => writeReadCapacity16(cdb)).data).blockCount,
    128_906_250_000,
  );
  const data = pattern(512);
  const write = large.run((cdb) => writeReadWrite(cdb, "write", 16, 128_906_249_999, 1), { data });
  assert.equal(write.status, ScsiStatus.good);
  assert.deepEqual(large.run((cdb) => writeReadWrite(cdb, "read", 16, 128_906_249_999, 1)).data, data);
  assert.equal(large.run((cdb) => writeReadWrite(cdb, "read", 16, 128_906_250_000, 1)).sense, "5/21/00");
});

for (const width of [6, 10, 12, 16, 32] as const) {
  test(`READ and WRITE(${width}) move the same blocks`, () => {
    const bench = new ScsiDiskBench([{ blockCount: 2048, hasLongCommands: true }]).ready();
    const data = pattern(512 * 9, width);
    assert.equal(
      bench.run((cdb) => writeReadWrite(cdb, "write", width, 77, 9), { data }).status,
      ScsiStatus.good,
    );
    assert.deepEqual(bench.run((cdb) => writeReadWrite(cdb, "read", width, 77, 9)).data, data);
    const beyond = bench.run((cdb) => writeReadWrite(cdb, "read", width, 2047, 2));
    assert.equal(beyond.sense, "5/21/00");
  });
}

test("a WRITE with less data than it announces writes the blocks that came", () => {
  const bench = new ScsiDiskBench().ready();
  const answer = bench.run((cdb) => writeReadWrite(cdb, "write", 10, 0, 4), { data: pattern(1024) });
  assert.equal(answer.movedBytes, 1024);
  const after = bench.run((cdb) => writeReadWrite(cdb, "read", 10, 0, 4)).data;
  assert.deepEqual(after.subarray(0, 1024), pattern(1024));
  assert.ok(after.subarray(1024).every((byte) => byte === 0));
});

test("unknown opcodes, stray bits and short CDBs are ILLEGAL REQUEST with the byte named", () => {
  const bench = new ScsiDiskBench().ready();
  assert.equal(bench.run(bytesFromHex("c1 00 00 00 00 00")).sense, "5/20/00");
  const stray = bench.run(bytesFromHex("00 00 10 00 00 00"));
  assert.equal(stray.sense, "5/24/00");
  assert.deepEqual([...stray.senseBytes.subarray(15, 18)], [0xc0, 0, 2]);
  assert.equal(bench.run(bytesFromHex("28 00 00 00")).sense, "5/24/00");
});

test("a LUN that leads nowhere says so", () => {
  const bench = new ScsiDiskBench([{ blockCount: 8 }, { blockCount: 8 }]);
  const inquiry = bench.run((cdb) => writeInquiry(cdb, null, 96), { lun: 7 });
  assert.equal(inquiry.data[0], 0x7f);
  assert.deepEqual(decodeReportLuns(bench.run((cdb) => writeReportLuns(cdb, 256), { lun: 7 }).data), [0, 1]);
  assert.equal(bench.run((cdb) => writeReadWrite(cdb, "read", 10, 0, 1), { lun: 7 }).sense, "5/25/00");
  const sense = bench.run((cdb) => writeRequestSense(cdb, 18), { lun: 7 });
  assert.equal(sense.data[12], 0x25);
});

test("the caching page tells the write cache, 4 bytes of header and 20 of page", () => {
  const bench = new ScsiDiskBench().ready();
  const request = { page: ModePage.caching, noBlockDescriptors: true, allocationBytes: 255 };
  const answer = bench.run((cdb) => writeModeSense6(cdb, request));
  assert.equal(answer.movedBytes, 24);
  assert.equal(decodeCachingPage(answer.data.subarray(4)).writeCacheEnabled, true);
});

test("a power cut takes a part of what was not flushed and nothing of what was", () => {
  const bench = new ScsiDiskBench([{ blockCount: 4096 }], 7).ready();
  const first = pattern(512 * 256, 1);
  const second = pattern(512 * 256, 99);
  bench.run((cdb) => writeReadWrite(cdb, "write", 10, 0, 256), { data: first });
  assert.equal(bench.run((cdb) => writeSynchronizeCache(cdb, 10)).status, ScsiStatus.good);
  bench.run((cdb) => writeReadWrite(cdb, "write", 10, 0, 256), { data: second });
  bench.run((cdb) => writeReadWrite(cdb, "write", 10, 512, 8, 0x08), { data: pattern(4096, 5) });
  bench.device.powerCycle();
  assert.equal(bench.run(writeTestUnitReady).sense, "6/29/01");
  const after = bench.run((cdb) => writeReadWrite(cdb, "read", 10, 0, 256)).data;
  let old = 0;
  for (let block = 0; block < 256; block++) {
    const found = after.subarray(block * 512, block * 512 + 512);
    const isOld = Buffer.compare(found, first.subarray(block * 512, block * 512 + 512)) === 0;
    if (isOld) old++;
    else assert.deepEqual(found, second.subarray(block * 512, block * 512 + 512));
  }
  assert.ok(old > 60 && old < 196, `${old} of 256 blocks went back`);
  assert.equal(bench.device.lostBlocks, old);
  const forced = bench.run((cdb) => writeReadWrite(cdb, "read", 10, 512, 8)).data;
  assert.deepEqual(forced, pattern(4096, 5));
});
