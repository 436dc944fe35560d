// CDBs read into a reused record, and written by those who send them. SPC-4 §4.2.5, SBC-3 clause 5.

import {
  getU16be,
  getU24be,
  getU32be,
  getU64be,
  putU16be,
  putU24be,
  putU32be,
  putU64be,
} from "../../base/bytes.ts";
import { findScsiCommand, LengthUnit, type ScsiCommandInfo, ScsiOpcode, ServiceAction } from "./commands.ts";

/** What a CDB says, for commands of the table. Reused: read again before each use. */
export interface CdbFields {
  info: ScsiCommandInfo | null;
  /** Logical block address; 0 where the command has none. Exact below 2^53. */
  lba: number;
  /** The counting field as it stands, but 256 for a 0 in READ(6) and WRITE(6). Blocks or bytes, see `info.unit`. */
  count: number;
  /** Byte 1 (byte 10 of 32-byte CDBs): protection, DPO, FUA, BYTCHK, IMMED... */
  flags: number;
}

export function newCdbFields(): CdbFields {
  return { info: null, lba: 0, count: 0, flags: 0 };
}

/** Bits of the flags of READ, WRITE and the like (SBC-3 §5.11). */
export const CdbFlag = { disablePageOut: 0x10, forceUnitAccess: 0x08 } as const;

function field(cdb: Uint8Array, at: number, width: number): number {
  if (width === 1) return cdb[at];
  if (width === 2) return getU16be(cdb, at);
  if (width === 3) return getU24be(cdb, at);
  return width === 4 ? getU32be(cdb, at) : 0;
}

/**
 * Fills `into`. False when the opcode or service action is unknown (`into.info` is then null) or `cdbBytes` is less
 * than the command needs. `cdb` is at least 32 bytes long whatever `cdbBytes` says.
 */
export function readCdb(cdb: Uint8Array, cdbBytes: number, into: CdbFields): boolean {
  const info = findScsiCommand(cdb);
  into.info = info;
  into.lba = 0;
  into.count = 0;
  into.flags = 0;
  if (info === null || cdbBytes < info.cdbBytes) return false;
  into.flags = info.cdbBytes === 32 ? cdb[10] : cdb[1];
  into.count = field(cdb, info.lengthAt, info.lengthWidth);
  if (info.lbaAt >= 0) {
    if (info.cdbBytes === 6) {
      into.lba = getU24be(cdb, 1) & 0x1fffff;
      if (into.count === 0 && info.unit === LengthUnit.blocks) into.count = 256;
    } else if (info.cdbBytes >= 16) into.lba = getU64be(cdb, info.lbaAt);
    else into.lba = getU32be(cdb, info.lbaAt);
  }
  return true;
}

/** First byte in which a bit is set that the usage data does not know, or -1. The opcode itself is not looked at. */
export function strayCdbByte(cdb: Uint8Array, info: ScsiCommandInfo): number {
  for (let at = 1; at < info.cdbBytes; at++) if ((cdb[at] & ~info.usage[at]) !== 0) return at;
  return -1;
}

// Writers fill `cdb` from byte 0, clear what the command does not use, and answer the CDB's length.

function begin(cdb: Uint8Array, opcode: number, bytes: number): number {
  cdb.fill(0, 0, bytes);
  cdb[0] = opcode;
  return bytes;
}

export function writeTestUnitReady(cdb: Uint8Array): number {
  return begin(cdb, ScsiOpcode.testUnitReady, 6);
}

export function writeRequestSense(cdb: Uint8Array, allocationBytes: number, isDescriptor = false): number {
  begin(cdb, ScsiOpcode.requestSense, 6);
  cdb[1] = isDescriptor ? 1 : 0;
  cdb[4] = allocationBytes;
  return 6;
}

/** `page` null: standard data; a number: that vital product data page. */
export function writeInquiry(cdb: Uint8Array, page: number | null, allocationBytes: number): number {
  begin(cdb, ScsiOpcode.inquiry, 6);
  cdb[1] = page === null ? 0 : 1;
  cdb[2] = page ?? 0;
  putU16be(cdb, 3, allocationBytes);
  return 6;
}

export function writeReportLuns(cdb: Uint8Array, allocationBytes: number, selectReport = 0): number {
  begin(cdb, ScsiOpcode.reportLuns, 12);
  cdb[2] = selectReport;
  putU32be(cdb, 6, allocationBytes);
  return 12;
}

export function writeReadCapacity10(cdb: Uint8Array): number {
  return begin(cdb, ScsiOpcode.readCapacity10, 10);
}

export function writeReadCapacity16(cdb: Uint8Array, allocationBytes = 32): number {
  begin(cdb, ScsiOpcode.serviceActionIn16, 16);
  cdb[1] = ServiceAction.readCapacity16;
  putU32be(cdb, 10, allocationBytes);
  return 16;
}

export function writeGetLbaStatus(cdb: Uint8Array, lba: number, allocationBytes: number): number {
  begin(cdb, ScsiOpcode.serviceActionIn16, 16);
  cdb[1] = ServiceAction.getLbaStatus;
  putU64be(cdb, 2, lba);
  putU32be(cdb, 10, allocationBytes);
  return 16;
}

export interface ModeSenseRequest {
  readonly page: number;
  readonly subpage?: number;
  /** 0 current, 1 changeable, 2 default, 3 saved. */
  readonly pageControl?: number;
  readonly noBlockDescriptors?: boolean;
  readonly allocationBytes: number;
}

export function writeModeSense6(cdb: Uint8Array, request: ModeSenseRequest): number {
  begin(cdb, ScsiOpcode.modeSense6, 6);
  cdb[1] = request.noBlockDescriptors === true ? 0x08 : 0;
  cdb[2] = ((request.pageControl ?? 0) << 6) | request.page;
  cdb[3] = request.subpage ?? 0;
  cdb[4] = request.allocationBytes;
  return 6;
}

export function writeModeSense10(cdb: Uint8Array, request: ModeSenseRequest): number {
  begin(cdb, ScsiOpcode.modeSense10, 10);
  cdb[1] = request.noBlockDescriptors === true ? 0x08 : 0;
  cdb[2] = ((request.pageControl ?? 0) << 6) | request.page;
  cdb[3] = request.subpage ?? 0;
  putU16be(cdb, 7, request.allocationBytes);
  return 10;
}

/** MODE SELECT(6) up to 255 bytes of parameters, (10) above. PF is set: pages, not vendor bytes, follow. */
export function writeModeSelect(
  cdb: Uint8Array,
  parameterBytes: number,
  isSaved: boolean,
  isTen = false,
): number {
  if (!isTen && parameterBytes < 256) {
    begin(cdb, ScsiOpcode.modeSelect6, 6);
    cdb[1] = 0x10 | (isSaved ? 1 : 0);
    cdb[4] = parameterBytes;
    return 6;
  }
  begin(cdb, ScsiOpcode.modeSelect10, 10);
  cdb[1] = 0x10 | (isSaved ? 1 : 0);
  putU16be(cdb, 7, parameterBytes);
  return 10;
}

const byWidth = {
  read: { 6: ScsiOpcode.read6, 10: ScsiOpcode.read10, 12: ScsiOpcode.read12, 16: ScsiOpcode.read16 },
  write: { 6: ScsiOpcode.write6, 10: ScsiOpcode.write10, 12: ScsiOpcode.write12, 16: ScsiOpcode.write16 },
} as const;

/** Widths of READ and WRITE that reach `lba` and `blocks`: the narrowest from 10 on, as class drivers choose. */
export function narrowestWidth(lba: number, blocks: number): 10 | 16 {
  return lba + blocks > 0x100000000 || blocks > 0xffff ? 16 : 10;
}

/**
 * READ or WRITE. The caller sees to it that `lba` and `blocks` fit: (6) 2^21 and 1 to 256, (10) 2^32 and 65535,
 * (12) 2^32 and 2^32-1, (16) and (32) 2^53 and 2^32-1.
 */
export function writeReadWrite(
  cdb: Uint8Array,
  kind: "read" | "write",
  width: 6 | 10 | 12 | 16 | 32,
  lba: number,
  blocks: number,
  flags = 0,
): number {
  if (width === 32) {
    begin(cdb, ScsiOpcode.variableLength, 32);
    cdb[7] = 0x18;
    putU16be(cdb, 8, kind === "read" ? ServiceAction.read32 : ServiceAction.write32);
    cdb[10] = flags;
    putU64be(cdb, 12, lba);
    putU32be(cdb, 28, blocks);
    return 32;
  }
  begin(cdb, byWidth[kind][width], width);
  if (width === 6) {
    putU24be(cdb, 1, lba & 0x1fffff);
    cdb[4] = blocks & 0xff;
    return 6;
  }
  cdb[1] = flags;
  if (width === 16) {
    putU64be(cdb, 2, lba);
    putU32be(cdb, 10, blocks);
  } else {
    putU32be(cdb, 2, lba);
    if (width === 10) putU16be(cdb, 7, blocks);
    else putU32be(cdb, 6, blocks);
  }
  return width;
}

/** SYNCHRONIZE CACHE(10) or (16); `blocks` 0 means to the end of the medium. */
export function writeSynchronizeCache(
  cdb: Uint8Array,
  width: 10 | 16,
  lba = 0,
  blocks = 0,
  isImmediate = false,
): number {
  begin(cdb, width === 10 ? ScsiOpcode.synchronizeCache10 : ScsiOpcode.synchronizeCache16, width);
  cdb[1] = isImmediate ? 0x02 : 0;
  if (width === 10) {
    putU32be(cdb, 2, lba);
    putU16be(cdb, 7, blocks);
  } else {
    putU64be(cdb, 2, lba);
    putU32be(cdb, 10, blocks);
  }
  return width;
}

export interface StartStopRequest {
  readonly start: boolean;
  readonly loadEject?: boolean;
  readonly immediate?: boolean;
  /** 0: START decides; 1 active, 2 idle, 3 standby, 7 LU control (SBC-3 §5.25). */
  readonly powerCondition?: number;
}

export function writeStartStopUnit(cdb: Uint8Array, request: StartStopRequest): number {
  begin(cdb, ScsiOpcode.startStopUnit, 6);
  cdb[1] = request.immediate === true ? 1 : 0;
  cdb[4] =
    ((request.powerCondition ?? 0) << 4) | (request.loadEject === true ? 2 : 0) | (request.start ? 1 : 0);
  return 6;
}

export function writePreventAllow(cdb: Uint8Array, isPrevented: boolean): number {
  begin(cdb, ScsiOpcode.preventAllowMediumRemoval, 6);
  cdb[4] = isPrevented ? 1 : 0;
  return 6;
}

export function writeUnmap(cdb: Uint8Array, parameterBytes: number): number {
  begin(cdb, ScsiOpcode.unmap, 10);
  putU16be(cdb, 7, parameterBytes);
  return 10;
}

/** WRITE SAME(10) or (16): one block of data, unless `noData` ((16) only: zeros). */
export function writeWriteSame(
  cdb: Uint8Array,
  width: 10 | 16,
  lba: number,
  blocks: number,
  options: { readonly unmap?: boolean; readonly noData?: boolean } = {},
): number {
  begin(cdb, width === 10 ? ScsiOpcode.writeSame10 : ScsiOpcode.writeSame16, width);
  cdb[1] = (options.unmap === true ? 0x08 : 0) | (options.noData === true && width === 16 ? 0x01 : 0);
  if (width === 10) {
    putU32be(cdb, 2, lba);
    putU16be(cdb, 7, blocks);
  } else {
    putU64be(cdb, 2, lba);
    putU32be(cdb, 10, blocks);
  }
  return width;
}

/** VERIFY(10) or (16); `byteCheck` 0: the medium alone, 1: against as many blocks of data, 3: against one block. */
export function writeVerify(
  cdb: Uint8Array,
  width: 10 | 16,
  lba: number,
  blocks: number,
  byteCheck: 0 | 1 | 3 = 0,
): number {
  begin(cdb, width === 10 ? ScsiOpcode.verify10 : ScsiOpcode.verify16, width);
  cdb[1] = byteCheck << 1;
  if (width === 10) {
    putU32be(cdb, 2, lba);
    putU16be(cdb, 7, blocks);
  } else {
    putU64be(cdb, 2, lba);
    putU32be(cdb, 10, blocks);
  }
  return width;
}

/** COMPARE AND WRITE: twice `blocks` blocks of data, what must be there first, then what comes in its place. */
export function writeCompareAndWrite(cdb: Uint8Array, lba: number, blocks: number): number {
  begin(cdb, ScsiOpcode.compareAndWrite, 16);
  putU64be(cdb, 2, lba);
  cdb[13] = blocks;
  return 16;
}

/** LOG SENSE of the cumulative values (PC 01b) of a page. */
export function writeLogSense(cdb: Uint8Array, page: number, allocationBytes: number, subpage = 0): number {
  begin(cdb, ScsiOpcode.logSense, 10);
  cdb[2] = 0x40 | page;
  cdb[3] = subpage;
  putU16be(cdb, 7, allocationBytes);
  return 10;
}

/** PERSISTENT RESERVE IN: 0 keys, 1 reservation, 2 capabilities, 3 full status. */
export function writePersistentReserveIn(
  cdb: Uint8Array,
  serviceAction: number,
  allocationBytes: number,
): number {
  begin(cdb, ScsiOpcode.persistentReserveIn, 10);
  cdb[1] = serviceAction;
  putU16be(cdb, 7, allocationBytes);
  return 10;
}

/** PERSISTENT RESERVE OUT with the scope of a whole logical unit. */
export function writePersistentReserveOut(
  cdb: Uint8Array,
  serviceAction: number,
  type: number,
  parameterBytes = 24,
): number {
  begin(cdb, ScsiOpcode.persistentReserveOut, 10);
  cdb[1] = serviceAction;
  cdb[2] = type;
  putU32be(cdb, 5, parameterBytes);
  return 10;
}
