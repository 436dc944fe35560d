// SCSI commands of direct access devices: opcodes, names, which CDB bits mean anything, where lengths lie.
// SPC-4 r37 clause 6, SBC-3 r36 clause 5, SAT-3 §12.2; UNMAP's and WRITE SAME's anchor bits are left out.

import { bytesFromHex } from "../../base/text.ts";

export const ScsiOpcode = {
  testUnitReady: 0x00,
  requestSense: 0x03,
  formatUnit: 0x04,
  read6: 0x08,
  write6: 0x0a,
  inquiry: 0x12,
  modeSelect6: 0x15,
  reserve6: 0x16,
  release6: 0x17,
  modeSense6: 0x1a,
  startStopUnit: 0x1b,
  sendDiagnostic: 0x1d,
  preventAllowMediumRemoval: 0x1e,
  readCapacity10: 0x25,
  read10: 0x28,
  write10: 0x2a,
  writeAndVerify10: 0x2e,
  verify10: 0x2f,
  prefetch10: 0x34,
  synchronizeCache10: 0x35,
  readDefectData10: 0x37,
  writeBuffer: 0x3b,
  readBuffer: 0x3c,
  writeSame10: 0x41,
  unmap: 0x42,
  sanitize: 0x48,
  logSense: 0x4d,
  modeSelect10: 0x55,
  reserve10: 0x56,
  release10: 0x57,
  modeSense10: 0x5a,
  persistentReserveIn: 0x5e,
  persistentReserveOut: 0x5f,
  variableLength: 0x7f,
  extendedCopy: 0x83,
  receiveCopyResults: 0x84,
  ataPassThrough16: 0x85,
  read16: 0x88,
  compareAndWrite: 0x89,
  write16: 0x8a,
  orWrite16: 0x8b,
  writeAndVerify16: 0x8e,
  verify16: 0x8f,
  prefetch16: 0x90,
  synchronizeCache16: 0x91,
  writeSame16: 0x93,
  writeAtomic16: 0x9c,
  serviceActionIn16: 0x9e,
  reportLuns: 0xa0,
  ataPassThrough12: 0xa1,
  maintenanceIn: 0xa3,
  read12: 0xa8,
  write12: 0xaa,
  writeAndVerify12: 0xae,
  verify12: 0xaf,
  readDefectData12: 0xb7,
} as const;

/** Service actions, grouped by the opcode they belong to. */
export const ServiceAction = {
  readCapacity16: 0x10,
  getLbaStatus: 0x12,
  reportSupportedOperationCodes: 0x0c,
  reportSupportedTaskManagement: 0x0d,
  read32: 0x0009,
  verify32: 0x000a,
  write32: 0x000b,
  writeAndVerify32: 0x000c,
  writeSame32: 0x000d,
} as const;

/** How the field that says how much data there is counts. */
export const LengthUnit = {
  none: 0,
  /** Logical blocks. */
  blocks: 1,
  /** Bytes: an allocation length (in) or a parameter list length (out). */
  bytes: 2,
  /** The data has a size of its own, whatever the CDB's count says (READ CAPACITY(10), WRITE SAME). */
  own: 3,
} as const;
export type LengthUnit = (typeof LengthUnit)[keyof typeof LengthUnit];

export interface ScsiCommandInfo {
  readonly opcode: number;
  /** -1: the opcode has none. */
  readonly serviceAction: number;
  readonly name: string;
  readonly cdbBytes: number;
  /** CDB usage data of REPORT SUPPORTED OPERATION CODES (SPC-4 §6.35.3): set bits are looked at. */
  readonly usage: Uint8Array;
  readonly direction: "none" | "in" | "out";
  /** Position and width of the field that counts data; width 0 when there is none. */
  readonly lengthAt: number;
  readonly lengthWidth: number;
  readonly unit: LengthUnit;
  /** Position of the logical block address; -1 when there is none. 21 bits in 6-byte CDBs. */
  readonly lbaAt: number;
}

const { none, blocks, bytes, own } = LengthUnit;
const lba8 = "ff ff ff ff ff ff ff ff";
const ff4 = "ff ff ff ff";
const to32 = `00 00 00 00 00 00 18`;

type Row = [string, number, string, "none" | "in" | "out", number, number, LengthUnit, number];

/** Name, service action, usage data, direction, length field (at, width, unit), LBA field. */
const rows: Row[] = [
  ["TEST UNIT READY", -1, "00 00 00 00 00 00", "none", 0, 0, none, -1],
  ["REQUEST SENSE", -1, "03 01 00 00 ff 00", "in", 4, 1, bytes, -1],
  ["FORMAT UNIT", -1, "04 30 00 00 00 00", "out", 0, 0, own, -1],
  ["READ(6)", -1, "08 1f ff ff ff 00", "in", 4, 1, blocks, 1],
  ["WRITE(6)", -1, "0a 1f ff ff ff 00", "out", 4, 1, blocks, 1],
  ["INQUIRY", -1, "12 01 ff ff ff 00", "in", 3, 2, bytes, -1],
  ["MODE SELECT(6)", -1, "15 11 00 00 ff 00", "out", 4, 1, bytes, -1],
  ["RESERVE(6)", -1, "16 00 00 00 00 00", "none", 0, 0, none, -1],
  ["RELEASE(6)", -1, "17 00 00 00 00 00", "none", 0, 0, none, -1],
  ["MODE SENSE(6)", -1, "1a 08 ff ff ff 00", "in", 4, 1, bytes, -1],
  ["START STOP UNIT", -1, "1b 01 00 0f f7 00", "none", 0, 0, none, -1],
  ["SEND DIAGNOSTIC", -1, "1d f7 00 ff ff 00", "out", 3, 2, bytes, -1],
  ["PREVENT ALLOW MEDIUM REMOVAL", -1, "1e 00 00 00 03 00", "none", 0, 0, none, -1],
  ["READ CAPACITY(10)", -1, "25 00 00 00 00 00 00 00 00 00", "in", 0, 0, own, -1],
  ["READ(10)", -1, `28 1a ${ff4} 00 ff ff 00`, "in", 7, 2, blocks, 2],
  ["WRITE(10)", -1, `2a 1a ${ff4} 00 ff ff 00`, "out", 7, 2, blocks, 2],
  ["WRITE AND VERIFY(10)", -1, `2e 16 ${ff4} 00 ff ff 00`, "out", 7, 2, blocks, 2],
  ["VERIFY(10)", -1, `2f 16 ${ff4} 00 ff ff 00`, "out", 7, 2, own, 2],
  ["PRE-FETCH(10)", -1, `34 02 ${ff4} 1f ff ff 00`, "none", 7, 2, own, 2],
  ["SYNCHRONIZE CACHE(10)", -1, `35 06 ${ff4} 00 ff ff 00`, "none", 7, 2, own, 2],
  ["READ DEFECT DATA(10)", -1, "37 00 1f 00 00 00 00 ff ff 00", "in", 7, 2, bytes, -1],
  ["WRITE BUFFER", -1, "3b 1f ff ff ff ff ff ff ff 00", "out", 6, 3, bytes, -1],
  ["READ BUFFER", -1, "3c 1f ff ff ff ff ff ff ff 00", "in", 6, 3, bytes, -1],
  ["WRITE SAME(10)", -1, `41 08 ${ff4} 00 ff ff 00`, "out", 7, 2, own, 2],
  ["UNMAP", -1, "42 00 00 00 00 00 00 ff ff 00", "out", 7, 2, bytes, -1],
  ["SANITIZE OVERWRITE", 0x01, "48 bf 00 00 00 00 00 ff ff 00", "out", 7, 2, bytes, -1],
  ["SANITIZE BLOCK ERASE", 0x02, "48 bf 00 00 00 00 00 ff ff 00", "out", 7, 2, bytes, -1],
  ["SANITIZE CRYPTOGRAPHIC ERASE", 0x03, "48 bf 00 00 00 00 00 ff ff 00", "out", 7, 2, bytes, -1],
  ["SANITIZE EXIT FAILURE MODE", 0x1f, "48 bf 00 00 00 00 00 ff ff 00", "out", 7, 2, bytes, -1],
  ["LOG SENSE", -1, "4d 01 ff ff 00 ff ff ff ff 00", "in", 7, 2, bytes, -1],
  ["MODE SELECT(10)", -1, "55 11 00 00 00 00 00 ff ff 00", "out", 7, 2, bytes, -1],
  ["RESERVE(10)", -1, "56 00 00 00 00 00 00 00 00 00", "none", 0, 0, none, -1],
  ["RELEASE(10)", -1, "57 00 00 00 00 00 00 00 00 00", "none", 0, 0, none, -1],
  ["MODE SENSE(10)", -1, "5a 18 ff ff 00 00 00 ff ff 00", "in", 7, 2, bytes, -1],
  ["PERSISTENT RESERVE IN READ KEYS", 0, "5e 1f 00 00 00 00 00 ff ff 00", "in", 7, 2, bytes, -1],
  ["PERSISTENT RESERVE IN READ RESERVATION", 1, "5e 1f 00 00 00 00 00 ff ff 00", "in", 7, 2, bytes, -1],
  ["PERSISTENT RESERVE IN REPORT CAPABILITIES", 2, "5e 1f 00 00 00 00 00 ff ff 00", "in", 7, 2, bytes, -1],
  ["PERSISTENT RESERVE IN READ FULL STATUS", 3, "5e 1f 00 00 00 00 00 ff ff 00", "in", 7, 2, bytes, -1],
  ["PERSISTENT RESERVE OUT REGISTER", 0, `5f 1f ff 00 00 ${ff4} 00`, "out", 5, 4, bytes, -1],
  ["PERSISTENT RESERVE OUT RESERVE", 1, `5f 1f ff 00 00 ${ff4} 00`, "out", 5, 4, bytes, -1],
  ["PERSISTENT RESERVE OUT RELEASE", 2, `5f 1f ff 00 00 ${ff4} 00`, "out", 5, 4, bytes, -1],
  ["PERSISTENT RESERVE OUT CLEAR", 3, `5f 1f ff 00 00 ${ff4} 00`, "out", 5, 4, bytes, -1],
  ["PERSISTENT RESERVE OUT PREEMPT", 4, `5f 1f ff 00 00 ${ff4} 00`, "out", 5, 4, bytes, -1],
  ["PERSISTENT RESERVE OUT PREEMPT AND ABORT", 5, `5f 1f ff 00 00 ${ff4} 00`, "out", 5, 4, bytes, -1],
  [
    "PERSISTENT RESERVE OUT REGISTER AND IGNORE EXISTING KEY",
    6,
    `5f 1f ff 00 00 ${ff4} 00`,
    "out",
    5,
    4,
    bytes,
    -1,
  ],
  [
    "READ(32)",
    ServiceAction.read32,
    `7f ${to32} ff ff 1a 00 ${lba8} ${ff4} 00 00 00 00 ${ff4}`,
    "in",
    28,
    4,
    blocks,
    12,
  ],
  [
    "VERIFY(32)",
    ServiceAction.verify32,
    `7f ${to32} ff ff 16 00 ${lba8} ${ff4} 00 00 00 00 ${ff4}`,
    "out",
    28,
    4,
    own,
    12,
  ],
  [
    "WRITE(32)",
    ServiceAction.write32,
    `7f ${to32} ff ff 1a 00 ${lba8} ${ff4} 00 00 00 00 ${ff4}`,
    "out",
    28,
    4,
    blocks,
    12,
  ],
  [
    "WRITE AND VERIFY(32)",
    ServiceAction.writeAndVerify32,
    `7f ${to32} ff ff 16 00 ${lba8} ${ff4} 00 00 00 00 ${ff4}`,
    "out",
    28,
    4,
    blocks,
    12,
  ],
  [
    "WRITE SAME(32)",
    ServiceAction.writeSame32,
    `7f ${to32} ff ff 09 00 ${lba8} ${ff4} 00 00 00 00 ${ff4}`,
    "out",
    28,
    4,
    own,
    12,
  ],
  ["EXTENDED COPY(LID1)", 0, `83 1f 00 00 00 00 00 00 00 00 ${ff4} 00 00`, "out", 10, 4, bytes, -1],
  ["RECEIVE COPY STATUS(LID1)", 0, `84 1f ff 00 00 00 00 00 00 00 ${ff4} 00 00`, "in", 10, 4, bytes, -1],
  [
    "RECEIVE COPY OPERATING PARAMETERS",
    3,
    `84 1f 00 00 00 00 00 00 00 00 ${ff4} 00 00`,
    "in",
    10,
    4,
    bytes,
    -1,
  ],
  ["ATA PASS-THROUGH(16)", -1, `85 ff ff ff ff ff ff ff ff ff ff ff ff ff ff 00`, "in", 0, 0, own, -1],
  ["READ(16)", -1, `88 1a ${lba8} ${ff4} 00 00`, "in", 10, 4, blocks, 2],
  ["COMPARE AND WRITE", -1, `89 1a ${lba8} 00 00 00 ff 00 00`, "out", 13, 1, own, 2],
  ["WRITE(16)", -1, `8a 1a ${lba8} ${ff4} 00 00`, "out", 10, 4, blocks, 2],
  ["ORWRITE(16)", -1, `8b 1a ${lba8} ${ff4} 00 00`, "out", 10, 4, blocks, 2],
  ["WRITE AND VERIFY(16)", -1, `8e 16 ${lba8} ${ff4} 00 00`, "out", 10, 4, blocks, 2],
  ["VERIFY(16)", -1, `8f 16 ${lba8} ${ff4} 00 00`, "out", 10, 4, own, 2],
  ["PRE-FETCH(16)", -1, `90 02 ${lba8} ${ff4} 1f 00`, "none", 10, 4, own, 2],
  ["SYNCHRONIZE CACHE(16)", -1, `91 06 ${lba8} ${ff4} 00 00`, "none", 10, 4, own, 2],
  ["WRITE SAME(16)", -1, `93 09 ${lba8} ${ff4} 00 00`, "out", 10, 4, own, 2],
  ["WRITE ATOMIC(16)", -1, `9c 18 ${lba8} ff ff ff ff 00 00`, "out", 12, 2, blocks, 2],
  [
    "READ CAPACITY(16)",
    ServiceAction.readCapacity16,
    `9e 1f 00 00 00 00 00 00 00 00 ${ff4} 00 00`,
    "in",
    10,
    4,
    bytes,
    -1,
  ],
  ["GET LBA STATUS", ServiceAction.getLbaStatus, `9e 1f ${lba8} ${ff4} 00 00`, "in", 10, 4, bytes, 2],
  ["REPORT LUNS", -1, `a0 00 ff 00 00 00 ${ff4} 00 00`, "in", 6, 4, bytes, -1],
  ["ATA PASS-THROUGH(12)", -1, "a1 ff ff ff ff ff ff ff ff ff 00 00", "in", 0, 0, own, -1],
  ["REPORT SUPPORTED OPERATION CODES", 0x0c, `a3 1f 87 ff ff ff ${ff4} 00 00`, "in", 6, 4, bytes, -1],
  [
    "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
    0x0d,
    `a3 1f 80 00 00 00 ${ff4} 00 00`,
    "in",
    6,
    4,
    bytes,
    -1,
  ],
  ["READ(12)", -1, `a8 1a ${ff4} ${ff4} 00 00`, "in", 6, 4, blocks, 2],
  ["WRITE(12)", -1, `aa 1a ${ff4} ${ff4} 00 00`, "out", 6, 4, blocks, 2],
  ["WRITE AND VERIFY(12)", -1, `ae 16 ${ff4} ${ff4} 00 00`, "out", 6, 4, blocks, 2],
  ["VERIFY(12)", -1, `af 16 ${ff4} ${ff4} 00 00`, "out", 6, 4, own, 2],
  ["READ DEFECT DATA(12)", -1, `b7 1f ${ff4} ${ff4} 00 00`, "in", 6, 4, bytes, -1],
];

/** Every command known here, by opcode and service action. */
export const scsiCommands: readonly ScsiCommandInfo[] = rows.map(
  ([name, serviceAction, usageText, direction, lengthAt, lengthWidth, unit, lbaAt]) => {
    const usage = bytesFromHex(usageText);
    const info = { opcode: usage[0], serviceAction, name, cdbBytes: usage.length, usage };
    return { ...info, direction, lengthAt, lengthWidth, unit, lbaAt };
  },
);

const byOpcode: ScsiCommandInfo[][] = Array.from({ length: 256 }, () => []);
for (const info of scsiCommands) byOpcode[info.opcode].push(info);

/** The service action in a CDB that has one: byte 1, or bytes 8 and 9 of a variable length CDB. */
export function serviceActionOf(cdb: Uint8Array): number {
  return cdb[0] === ScsiOpcode.variableLength ? (cdb[8] << 8) | cdb[9] : cdb[1] & 0x1f;
}

/** The row of a CDB, or null for an opcode or service action that is not in the table. */
export function findScsiCommand(cdb: Uint8Array): ScsiCommandInfo | null {
  const candidates = byOpcode[cdb[0]];
  if (candidates.length === 0) return null;
  if (candidates[0].serviceAction < 0) return candidates[0];
  const serviceAction = serviceActionOf(cdb);
  return candidates.find((info) => info.serviceAction === serviceAction) ?? null;
}

/** For logs and tables: `READ(10)`, or `opcode 0xc1`. */
export function scsiCommandName(cdb: Uint8Array): string {
  const found = findScsiCommand(cdb);
  if (found !== null) return found.name;
  const opcode = `opcode 0x${cdb[0].toString(16).padStart(2, "0")}`;
  if (byOpcode[cdb[0]].length === 0) return opcode;
  return `${opcode} service action 0x${serviceActionOf(cdb).toString(16).padStart(2, "0")}`;
}
