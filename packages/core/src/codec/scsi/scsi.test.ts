// The SCSI codec against bytes laid out by hand from the figures of SPC-4 r37, SBC-3 r36 and SAT-3 r5.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { AtaProtocol, ataCommandName, ataTransferBytes, decodeAtaPassThrough } from "./ata-pass-through.ts";
import {
  newCdbFields,
  readCdb,
  writeCompareAndWrite,
  writeInquiry,
  writeLogSense,
  writeModeSelect,
  writeModeSense6,
  writeModeSense10,
  writePersistentReserveIn,
  writePersistentReserveOut,
  writePreventAllow,
  writeReadCapacity10,
  writeReadCapacity16,
  writeReadWrite,
  writeReportLuns,
  writeRequestSense,
  writeStartStopUnit,
  writeSynchronizeCache,
  writeTestUnitReady,
  writeUnmap,
  writeVerify,
  writeWriteSame,
} from "./cdb.ts";
import { findScsiCommand, ScsiOpcode } from "./commands.ts";
import {
  decodeReadCapacity10,
  decodeReadCapacity16,
  decodeReportLuns,
  decodeStandardInquiry,
  encodeReadCapacity10,
  encodeReadCapacity16,
  encodeReportLuns,
  encodeStandardInquiry,
  getLun,
} from "./inquiry.ts";
import { decodeLogPage, encodeLogPage } from "./log-pages.ts";
import {
  decodeBlockDescriptor,
  decodeCachingPage,
  decodeModeHeader,
  decodeModePages,
  encodeBlockDescriptor,
  encodeCachingPage,
  encodeModeData,
} from "./mode-pages.ts";
import { decodeLbaStatus, decodeUnmapList, encodeLbaStatus, encodeUnmapList } from "./provisioning.ts";
import {
  decodeFullStatus,
  decodeKeys,
  decodeReservation,
  decodeReserveOut,
  encodeKeys,
  encodeReservation,
  encodeReserveOut,
  iscsiTransportId,
} from "./reservations.ts";
import { decodeSense, type Sense, senseText, writeDescriptorSense, writeFixedSense } from "./sense.ts";
import { decodeAllCommands, encodeAllCommands, encodeOneCommand } from "./supported-commands.ts";
import {
  decodeBlockDeviceCharacteristics,
  decodeBlockLimits,
  decodeDeviceIdentification,
  decodeLogicalBlockProvisioning,
  decodeSupportedPages,
  decodeUnitSerialNumber,
  encodeBlockDeviceCharacteristics,
  encodeBlockLimits,
  encodeDeviceIdentification,
  encodeLogicalBlockProvisioning,
  encodeSupportedPages,
  encodeUnitSerialNumber,
} from "./vpd.ts";

const hex = (text: string) => hexBytes(bytesFromHex(text));

/** Each writer, and the CDB that the section's figure gives. */
const cdbs: readonly (readonly [string, (cdb: Uint8Array) => number, string])[] = [
  ["SPC-4 §6.47 TEST UNIT READY", writeTestUnitReady, "00 00 00 00 00 00"],
  ["SPC-4 §6.39 REQUEST SENSE, DESC", (cdb) => writeRequestSense(cdb, 252, true), "03 01 00 00 fc 00"],
  ["SPC-4 §6.4 INQUIRY", (cdb) => writeInquiry(cdb, null, 36), "12 00 00 00 24 00"],
  ["SPC-4 §6.4 INQUIRY, EVPD", (cdb) => writeInquiry(cdb, 0x83, 0x1234), "12 01 83 12 34 00"],
  [
    "SPC-4 §6.33 REPORT LUNS",
    (cdb) => writeReportLuns(cdb, 0x10008, 2),
    "a0 00 02 00 00 00 00 01 00 08 00 00",
  ],
  [
    "SPC-4 §6.11 MODE SENSE(6), DBD, PC 1",
    (cdb) =>
      writeModeSense6(cdb, { page: 8, pageControl: 1, noBlockDescriptors: true, allocationBytes: 192 }),
    "1a 08 48 00 c0 00",
  ],
  [
    "SPC-4 §6.12 MODE SENSE(10), subpage",
    (cdb) => writeModeSense10(cdb, { page: 0x0a, subpage: 1, pageControl: 3, allocationBytes: 0x1020 }),
    "5a 00 ca 01 00 00 00 10 20 00",
  ],
  ["SPC-4 §6.9 MODE SELECT(6), PF, SP", (cdb) => writeModeSelect(cdb, 24, true), "15 11 00 00 18 00"],
  [
    "SPC-4 §6.10 MODE SELECT(10), PF",
    (cdb) => writeModeSelect(cdb, 0x200, false),
    "55 10 00 00 00 00 00 02 00 00",
  ],
  ["SPC-4 §6.8 LOG SENSE, PC 1", (cdb) => writeLogSense(cdb, 0x0d, 64), "4d 00 4d 00 00 00 00 00 40 00"],
  [
    "SPC-4 §6.15 PERSISTENT RESERVE IN",
    (cdb) => writePersistentReserveIn(cdb, 3, 256),
    "5e 03 00 00 00 00 00 01 00 00",
  ],
  [
    "SPC-4 §6.16 PERSISTENT RESERVE OUT",
    (cdb) => writePersistentReserveOut(cdb, 1, 5),
    "5f 01 05 00 00 00 00 00 18 00",
  ],
  ["SBC-3 §5.9 PREVENT ALLOW MEDIUM REMOVAL", (cdb) => writePreventAllow(cdb, true), "1e 00 00 00 01 00"],
  ["SBC-3 §5.10 READ(6)", (cdb) => writeReadWrite(cdb, "read", 6, 0x12345, 256), "08 01 23 45 00 00"],
  [
    "SBC-3 §5.11 READ(10), FUA",
    (cdb) => writeReadWrite(cdb, "read", 10, 0x12345678, 0x9abc, 8),
    "28 08 12 34 56 78 00 9a bc 00",
  ],
  [
    "SBC-3 §5.12 READ(12)",
    (cdb) => writeReadWrite(cdb, "read", 12, 0x12345678, 0x9abcdef0),
    "a8 00 12 34 56 78 9a bc de f0 00 00",
  ],
  [
    "SBC-3 §5.13 READ(16)",
    (cdb) => writeReadWrite(cdb, "read", 16, 0x12345678_9abc, 0x11223344),
    "88 00 00 00 12 34 56 78 9a bc 11 22 33 44 00 00",
  ],
  [
    "SBC-3 §5.14 READ(32)",
    (cdb) => writeReadWrite(cdb, "read", 32, 0x0102030405, 6),
    "7f 00 00 00 00 00 00 18 00 09 00 00 00 00 00 01 02 03 04 05 00 00 00 00 00 00 00 00 00 00 00 06",
  ],
  [
    "SBC-3 clause 5 WRITE(10), DPO",
    (cdb) => writeReadWrite(cdb, "write", 10, 1, 2, 0x10),
    "2a 10 00 00 00 01 00 00 02 00",
  ],
  ["SBC-3 §5.15 READ CAPACITY(10)", writeReadCapacity10, "25 00 00 00 00 00 00 00 00 00"],
  [
    "SBC-3 §5.16 READ CAPACITY(16)",
    (cdb) => writeReadCapacity16(cdb),
    "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00",
  ],
  [
    "SBC-3 §5.25 START STOP UNIT, standby",
    (cdb) => writeStartStopUnit(cdb, { start: false, powerCondition: 3, immediate: true }),
    "1b 01 00 00 30 00",
  ],
  [
    "SBC-3 §5.25 START STOP UNIT, eject",
    (cdb) => writeStartStopUnit(cdb, { start: false, loadEject: true }),
    "1b 00 00 00 02 00",
  ],
  [
    "SBC-3 §5.26 SYNCHRONIZE CACHE(10)",
    (cdb) => writeSynchronizeCache(cdb, 10, 5, 6, true),
    "35 02 00 00 00 05 00 00 06 00",
  ],
  [
    "SBC-3 §5.27 SYNCHRONIZE CACHE(16)",
    (cdb) => writeSynchronizeCache(cdb, 16),
    "91 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
  ],
  ["SBC-3 §5.28 UNMAP", (cdb) => writeUnmap(cdb, 24), "42 00 00 00 00 00 00 00 18 00"],
  [
    "SBC-3 §5.29 VERIFY(10), BYTCHK 1",
    (cdb) => writeVerify(cdb, 10, 7, 8, 1),
    "2f 02 00 00 00 07 00 00 08 00",
  ],
  [
    "SBC-3 §5.43 WRITE SAME(16), UNMAP, NDOB",
    (cdb) => writeWriteSame(cdb, 16, 9, 10, { unmap: true, noData: true }),
    "93 09 00 00 00 00 00 00 00 09 00 00 00 0a 00 00",
  ],
  [
    "SBC-3 §5.2 COMPARE AND WRITE",
    (cdb) => writeCompareAndWrite(cdb, 3, 4),
    "89 00 00 00 00 00 00 00 00 03 00 00 00 04 00 00",
  ],
];

test("each CDB is its figure's, and reads back as its command", () => {
  const fields = newCdbFields();
  for (const [name, write, text] of cdbs) {
    const cdb = new Uint8Array(32).fill(0xee);
    const length = write(cdb);
    assert.equal(hexBytes(cdb.subarray(0, length)), hex(text), name);
    assert.ok(readCdb(cdb, length, fields), name);
    assert.equal(fields.info?.cdbBytes, length, name);
    assert.ok(!readCdb(cdb, length - 1, fields), `${name}, cut off`);
  }
});

test("addresses and counts are read where each width has them", () => {
  const fields = newCdbFields();
  const read = (text: string) => {
    const cdb = new Uint8Array(32);
    cdb.set(bytesFromHex(text));
    readCdb(cdb, bytesFromHex(text).length, fields);
    return [fields.lba, fields.count, fields.flags];
  };
  assert.deepEqual(read("08 1f ff ff 00 00"), [0x1fffff, 256, 0x1f]);
  assert.deepEqual(read("28 08 ff ff ff ff 00 ff ff 00"), [0xffffffff, 0xffff, 8]);
  assert.deepEqual(
    read("88 10 00 1f ff ff ff ff ff ff ff ff ff ff 00 00"),
    [0x1fffffffffffff, 0xffffffff, 0x10],
  );
});

test("fixed sense data: field pointer, information, progress (SPC-4 §4.5.3)", () => {
  const cases: readonly (readonly [Sense, string])[] = [
    [
      { key: 5, code: 0x2400, fieldPointer: { isCdb: true, byte: 2, bit: 5 } },
      "70 00 05 00000000 0a 00000000 24 00 00 cd 00 02",
    ],
    [
      { key: 5, code: 0x2600, fieldPointer: { isCdb: false, byte: 0x110, bit: null } },
      "70 00 05 00000000 0a 00000000 26 00 00 80 01 10",
    ],
    [{ key: 3, code: 0x1100, information: 0x01020304 }, "f0 00 03 01020304 0a 00000000 11 00 00 00 00 00"],
    [{ key: 2, code: 0x0401, progress: 0x8000 }, "70 00 02 00000000 0a 00000000 04 01 00 80 80 00"],
    [{ key: 4, code: 0x4400, isDeferred: true }, "71 00 04 00000000 0a 00000000 44 00 00 00 00 00"],
  ];
  for (const [sense, text] of cases) {
    const bytes = new Uint8Array(32);
    assert.equal(hexBytes(bytes.subarray(0, writeFixedSense(bytes, sense))), hex(text));
    const back = decodeSense(bytes.subarray(0, 18));
    for (const [name, value] of Object.entries(sense))
      assert.deepEqual(back[name as keyof Sense], value, name);
  }
});

test("descriptor sense data: information 00h, command specific 01h, key specific 02h (SPC-4 §4.5.2)", () => {
  const cases: readonly (readonly [Sense, string])[] = [
    [{ key: 6, code: 0x2900 }, "72 06 29 00 00 00 00 00"],
    [
      { key: 14, code: 0x1d00, information: 0x1_0000_0002 },
      "72 0e 1d 00 00 00 00 0c 00 0a 80 00 00 00 00 01 00 00 00 02",
    ],
    [
      { key: 5, code: 0x2100, commandSpecific: 7, fieldPointer: { isCdb: true, byte: 2, bit: null } },
      "72 05 21 00 00 00 00 14 01 0a 00 00 00 00 00 00 00 00 00 07 02 06 00 00 c0 00 02 00",
    ],
  ];
  for (const [sense, text] of cases) {
    const bytes = new Uint8Array(64);
    const length = writeDescriptorSense(bytes, sense);
    assert.equal(hexBytes(bytes.subarray(0, length)), hex(text));
    const back = decodeSense(bytes.subarray(0, length));
    assert.ok(back.isDescriptor);
    for (const [name, value] of Object.entries(sense))
      assert.deepEqual(back[name as keyof Sense], value, name);
  }
  assert.match(
    senseText({ key: 5, code: 0x2400, fieldPointer: { isCdb: true, byte: 2, bit: null } }),
    /5\/24\/00.*byte 2/,
  );
});

test("standard INQUIRY data (SPC-4 §6.4.2)", () => {
  const data = {
    qualifier: 0,
    deviceType: 0,
    isRemovable: true,
    version: 6,
    canQueue: true,
    canCopy: false,
    vendor: "ACME",
    product: "ROCKET DISK",
    revision: "2.1",
    standards: [0x00a0, 0x0460],
  };
  const bytes = encodeStandardInquiry(data);
  assert.equal(
    hexBytes(bytes),
    hex(`00 80 06 12 5b 00 00 02 41434d4520202020 524f434b4554204449534b2020202020 322e3120
         ${"00".repeat(22)} 00a0 0460 ${"00".repeat(34)}`),
  );
  assert.deepEqual(decodeStandardInquiry(bytes), data);
});

test("VPD pages 00h, 80h, 83h (SPC-4 §7.8), B0h, B1h, B2h (SBC-3 §6.5)", () => {
  assert.equal(hexBytes(encodeSupportedPages([0, 0x80, 0xb0])), hex("00 00 00 03 00 80 b0"));
  assert.deepEqual(decodeSupportedPages(bytesFromHex("00 00 00 03 00 80 b0")), [0, 0x80, 0xb0]);
  assert.equal(hexBytes(encodeUnitSerialNumber("A1B2")), hex("00 80 00 04 41 31 42 32"));
  assert.equal(decodeUnitSerialNumber(bytesFromHex("00 80 00 04 41 31 42 32")), "A1B2");
  const naa = { codeSet: 1, owner: 0, type: 3, value: bytesFromHex("5000c500 12345678") };
  const identification = "00 83 00 0c 01 03 00 08 50 00 c5 00 12 34 56 78";
  assert.equal(hexBytes(encodeDeviceIdentification([naa])), hex(identification));
  assert.deepEqual(decodeDeviceIdentification(bytesFromHex(identification)), [naa]);
  const limits = {
    maximumCompareAndWrite: 0x40,
    optimalGranularity: 8,
    maximumTransfer: 0x8000,
    optimalTransfer: 0x800,
    maximumPrefetch: 0,
    maximumUnmapBlocks: 0xffffffff,
    maximumUnmapDescriptors: 0x100,
    optimalUnmapGranularity: 1,
    maximumWriteSame: 0x1_0000_0000,
    writeSameNonZero: true,
    maximumAtomic: 0x100,
    atomicAlignment: 2,
    atomicGranularity: 3,
  };
  const limitsText = `00 b0 00 3c 01 40 00 08 00 00 80 00 00 00 08 00 00 00 00 00 ff ff ff ff 00 00 01 00
    00 00 00 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 01 00 00 00 00 02 00 00 00 03 00 00 00 00 00 00 00 00`;
  assert.equal(hexBytes(encodeBlockLimits(limits)), hex(limitsText));
  assert.deepEqual(decodeBlockLimits(bytesFromHex(limitsText)), limits);
  const shape = {
    rotationRate: 7200,
    formFactor: 2,
    afterBlockErase: 1,
    afterCryptographicErase: 2,
  } as const;
  const shapeText = `00 b1 00 3c 1c 20 00 62 ${"00".repeat(56)}`;
  assert.equal(hexBytes(encodeBlockDeviceCharacteristics(shape)), hex(shapeText));
  assert.deepEqual(decodeBlockDeviceCharacteristics(bytesFromHex(shapeText)), shape);
  const thin = { canUnmap: true, canWriteSame16: true, canWriteSame10: false, readsZeros: true, type: 2 };
  assert.equal(hexBytes(encodeLogicalBlockProvisioning(thin)), hex("00 b2 00 04 00 c4 02 00"));
  assert.deepEqual(decodeLogicalBlockProvisioning(bytesFromHex("00 b2 00 04 00 c4 02 00")), thin);
});

test("LUNs and REPORT LUNS (SAM-5 §4.7.7, SPC-4 §6.33)", () => {
  const text =
    "00 00 00 18 00 00 00 00  00 00 00 00 00 00 00 00  00 05 00 00 00 00 00 00  41 02 00 00 00 00 00 00";
  assert.equal(hexBytes(encodeReportLuns([0, 5, 258])), hex(text));
  assert.deepEqual(decodeReportLuns(bytesFromHex(text)), [0, 5, 258]);
  // A well known unit, a second level, a bus number.
  for (const other of ["c1 01 00 00 00 00 00 00", "00 05 00 01 00 00 00 00", "02 05 00 00 00 00 00 00"])
    assert.equal(getLun(bytesFromHex(other), 0), -1);
});

test("READ CAPACITY (SBC-3 §5.15.2, §5.16.2)", () => {
  assert.equal(hexBytes(encodeReadCapacity10(2048, 512)), hex("00 00 07 ff 00 00 02 00"));
  assert.deepEqual(decodeReadCapacity10(bytesFromHex("ff ff ff ff 00 00 02 00")), {
    blockCount: null,
    blockBytes: 512,
  });
  const large = {
    blockCount: 128_906_250_000,
    blockBytes: 512,
    physicalExponent: 3,
    lowestAligned: 7,
    isThin: true,
    readsZeros: true,
  };
  const text = `00 00 00 1e 03 69 47 0f 00 00 02 00 00 03 c0 07 ${"00".repeat(16)}`;
  assert.equal(hexBytes(encodeReadCapacity16(large)), hex(text));
  assert.deepEqual(decodeReadCapacity16(bytesFromHex(text)), large);
});

test("mode data: both headers, both block descriptors, the caching page (SPC-4 §7.5, SBC-3 §6.4.5)", () => {
  const caching = encodeCachingPage({ writeCacheEnabled: true, readCacheDisabled: false });
  const page = `08 12 04 ${"00".repeat(17)}`;
  assert.equal(hexBytes(caching), hex(page));
  assert.deepEqual(decodeCachingPage(caching), { writeCacheEnabled: true, readCacheDisabled: false });
  const short = encodeBlockDescriptor(0x1000, 512, false);
  assert.equal(
    hexBytes(encodeModeData(false, 0x90, short, [caching])),
    hex(`1f 00 90 08 00 00 10 00 00 00 02 00 ${page}`),
  );
  const long = encodeBlockDescriptor(0x1_0000_0000, 4096, true);
  const ten = encodeModeData(true, 0x10, long, [caching], true);
  assert.equal(
    hexBytes(ten),
    hex(`00 2a 00 10 01 00 00 10 00 00 00 01 00 00 00 00 00 00 00 00 00 00 10 00 ${page}`),
  );
  const header = decodeModeHeader(ten, true);
  assert.deepEqual(
    [header.blockDescriptorBytes, header.hasLongDescriptors, header.dataLength],
    [16, true, 42],
  );
  assert.deepEqual(decodeBlockDescriptor(ten, 8, true), { blockCount: 0x1_0000_0000, blockBytes: 4096 });
  // A subpage has a header of four bytes.
  const [first, second] = decodeModePages(bytesFromHex("0a 02 11 22 4a 01 00 02 33 44"), 0);
  assert.deepEqual([first.page, first.subpage, first.bytes.length], [10, 0, 4]);
  assert.deepEqual([second.page, second.subpage, second.bytes.length], [10, 1, 6]);
});

test("log page with parameters (SPC-4 §7.3.2)", () => {
  const parameters = [{ code: 0, control: 3, value: Uint8Array.of(0, 30) }];
  assert.equal(hexBytes(encodeLogPage(0x0d, parameters)), hex("0d 00 00 06 00 00 03 02 00 1e"));
  assert.deepEqual(decodeLogPage(bytesFromHex("0d 00 00 06 00 00 03 02 00 1e")), {
    page: 0x0d,
    subpage: 0,
    parameters,
  });
});

test("UNMAP list and GET LBA STATUS (SBC-3 §5.28.2, §5.4.2)", () => {
  const text = "00 16 00 10 00 00 00 00 00 00 00 01 00 00 00 02 00 00 00 08 00 00 00 00";
  assert.equal(hexBytes(encodeUnmapList([{ lba: 0x1_0000_0002, blocks: 8 }])), hex(text));
  assert.deepEqual(decodeUnmapList(bytesFromHex(text)), [{ lba: 0x1_0000_0002, blocks: 8 }]);
  // A descriptor that is cut off is ignored.
  assert.deepEqual(decodeUnmapList(bytesFromHex(text).subarray(0, 23)), []);
  const status = [{ lba: 3, blocks: 5, status: 1 }];
  const statusText = "00 00 00 14 00 00 00 00 00 00 00 00 00 00 00 03 00 00 00 05 01 00 00 00";
  assert.equal(hexBytes(encodeLbaStatus(status)), hex(statusText));
  assert.deepEqual(decodeLbaStatus(bytesFromHex(statusText)), status);
});

test("persistent reservations: list, keys, holder, transport ID (SPC-4 §6.15, §6.16, §7.6.4.6)", () => {
  const out = {
    key: "0011223344556677",
    actionKey: "8899aabbccddeeff",
    specifyInitiators: false,
    allTargetPorts: true,
    throughPowerLoss: true,
  };
  const text = "0011223344556677 8899aabbccddeeff 00000000 05 00 0000";
  assert.equal(hexBytes(encodeReserveOut(out)), hex(text));
  assert.deepEqual(decodeReserveOut(bytesFromHex(text)), out);
  assert.equal(hexBytes(encodeKeys(2, [out.key])), hex("00000002 00000008 0011223344556677"));
  assert.deepEqual(decodeKeys(bytesFromHex("00000002 00000008 0011223344556677")).keys, [out.key]);
  const held = "00000003 00000010 0011223344556677 00000000 00 05 0000";
  assert.equal(hexBytes(encodeReservation(3, { key: out.key, type: 5 })), hex(held));
  assert.deepEqual(decodeReservation(bytesFromHex(held)), { key: out.key, type: 5 });
  assert.equal(decodeReservation(bytesFromHex("00000003 00000000")), null);
  assert.equal(
    hexBytes(iscsiTransportId("iqn.a", "00023d000001")),
    hex("45 00 00 18 69716e2e61 2c692c 3078 303030323364303030303031 00 00"),
  );
});

test("REPORT SUPPORTED OPERATION CODES, all and one (SPC-4 §6.35)", () => {
  const read = findScsiCommand(Uint8Array.of(ScsiOpcode.read10));
  const capacity = findScsiCommand(Uint8Array.of(0x9e, 0x10));
  assert.ok(read !== null && capacity !== null);
  const text = "00 00 00 10 28 00 00 00 00 00 00 0a 9e 00 00 10 00 01 00 10";
  assert.equal(hexBytes(encodeAllCommands([read, capacity], false)), hex(text));
  assert.deepEqual(decodeAllCommands(bytesFromHex(text)), [
    { opcode: 0x28, serviceAction: -1, cdbBytes: 10 },
    { opcode: 0x9e, serviceAction: 0x10, cdbBytes: 16 },
  ]);
  assert.equal(hexBytes(encodeOneCommand(read, false)), hex("00 03 00 0a 28 1a ff ff ff ff 00 ff ff 00"));
  assert.equal(hexBytes(encodeOneCommand(null, false)), hex("00 01 00 00"));
});

test("ATA PASS-THROUGH(12) and (16), as smartctl sends them (SAT-3 §12.2.2, §12.2.3)", () => {
  const identify = decodeAtaPassThrough(bytesFromHex("85 08 0e 00 00 00 01 00 00 00 00 00 00 00 ec 00"));
  assert.deepEqual(
    [identify.protocol, identify.isIn, identify.isExtended, ataTransferBytes(identify), identify.command],
    [AtaProtocol.pioIn, true, false, 512, 0xec],
  );
  const smart = decodeAtaPassThrough(bytesFromHex("85 06 2c 00 da 00 00 00 00 00 4f 00 c2 00 b0 00"));
  assert.deepEqual(
    [
      smart.protocol,
      smart.wantsRegisters,
      smart.features,
      smart.lba,
      ataTransferBytes(smart),
      ataCommandName(smart.command),
    ],
    [AtaProtocol.nonData, true, 0xda, 0xc24f00, 0, "SMART"],
  );
  const readDma = decodeAtaPassThrough(bytesFromHex("85 0d 0e 00 00 01 00 11 22 33 44 55 66 40 25 00"));
  assert.deepEqual([readDma.isExtended, readDma.count, readDma.lba], [true, 256, 0x5533_1166_4422]);
  const short = decodeAtaPassThrough(bytesFromHex("a1 08 0e d0 01 00 4f c2 00 b0 00 00"));
  assert.deepEqual(
    [short.protocol, short.features, short.count, short.lba, short.command, ataTransferBytes(short)],
    [AtaProtocol.pioIn, 0xd0, 1, 0xc24f00, 0xb0, 512],
  );
  // T_TYPE: logical blocks; BYT_BLOK 0: bytes; T_LENGTH 3: the carrier's length.
  assert.equal(ataTransferBytes({ ...short, countsLogicalBlocks: true }, 4096), 4096);
  assert.equal(ataTransferBytes({ ...short, countsBlocks: false, count: 100 }), 100);
  assert.equal(ataTransferBytes({ ...short, lengthField: 3 }), null);
  assert.throws(() => decodeAtaPassThrough(bytesFromHex("85 08 0e")), DecodeError);
  assert.throws(() => decodeAtaPassThrough(new Uint8Array(16)), DecodeError);
});

test("every decoder takes any bytes: a value or a DecodeError, never anything else", () => {
  const random = new Random(44);
  const decoders: readonly ((bytes: Uint8Array) => unknown)[] = [
    decodeSense,
    decodeStandardInquiry,
    decodeReportLuns,
    decodeReadCapacity10,
    decodeReadCapacity16,
    decodeSupportedPages,
    decodeUnitSerialNumber,
    decodeDeviceIdentification,
    decodeBlockLimits,
    decodeBlockDeviceCharacteristics,
    decodeLogicalBlockProvisioning,
    decodeLogPage,
    decodeCachingPage,
    (bytes) => decodeModePages(bytes, 0),
    decodeUnmapList,
    decodeLbaStatus,
    decodeReserveOut,
    decodeKeys,
    decodeReservation,
    decodeFullStatus,
    decodeAllCommands,
    decodeAtaPassThrough,
  ];
  let values = 0;
  let refusals = 0;
  for (let round = 0; round < 40_000; round++) {
    const bytes = new Uint8Array(random.below(100));
    for (let at = 0; at < bytes.length; at++) bytes[at] = random.chance(0.4) ? random.below(256) : 0;
    if (random.chance(0.5) && bytes.length > 3)
      bytes.set([0, [0, 0x80, 0x83, 0xb0, 0xb1, 0xb2][random.below(6)], 0], 0);
    try {
      decoders[round % decoders.length](bytes);
      values++;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      refusals++;
    }
  }
  assert.ok(values > 5000 && refusals > 5000, `${values} values, ${refusals} refusals`);
});
