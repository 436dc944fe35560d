// NVM Express 1.4 §4 to §6: submission and completion entries, opcodes, status codes.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";

export const submissionEntryBytes = 64;
export const completionEntryBytes = 16;

export const NvmeAdmin = {
  deleteSubmissionQueue: 0x00,
  createSubmissionQueue: 0x01,
  getLogPage: 0x02,
  deleteCompletionQueue: 0x04,
  createCompletionQueue: 0x05,
  identify: 0x06,
  abort: 0x08,
  setFeatures: 0x09,
  getFeatures: 0x0a,
  asynchronousEventRequest: 0x0c,
  keepAlive: 0x18,
} as const;

export const NvmeIo = {
  flush: 0x00,
  write: 0x01,
  read: 0x02,
  writeUncorrectable: 0x04,
  compare: 0x05,
  writeZeroes: 0x08,
  datasetManagement: 0x09,
} as const;

export const NvmeFeature = {
  arbitration: 0x01,
  powerManagement: 0x02,
  temperatureThreshold: 0x04,
  errorRecovery: 0x05,
  volatileWriteCache: 0x06,
  numberOfQueues: 0x07,
  interruptCoalescing: 0x08,
  interruptVector: 0x09,
  writeAtomicity: 0x0a,
  asynchronousEvents: 0x0b,
  timestamp: 0x0e,
} as const;

export const NvmeLog = { errors: 0x01, health: 0x02, firmware: 0x03, changedNamespaces: 0x04 } as const;

/** Bits of DW12 of reads, writes and zeroes. */
export const forceUnitAccess = 0x4000_0000;
/** DW11 of dataset management. */
export const datasetDeallocate = 0x4;

/** Every namespace, in commands that allow it. */
export const allNamespaces = 0xffffffff;

/** Status as type << 8 | code (§4.6.1); 0 is success. */
export const NvmeStatus = {
  success: 0x000,
  invalidOpcode: 0x001,
  invalidField: 0x002,
  idConflict: 0x003,
  transferError: 0x004,
  powerLoss: 0x005,
  internalError: 0x006,
  abortRequested: 0x007,
  submissionQueueDeleted: 0x008,
  invalidNamespace: 0x00b,
  sequenceError: 0x00c,
  sglSegment: 0x00d,
  sglCount: 0x00e,
  sglLength: 0x00f,
  sglType: 0x011,
  prpOffset: 0x013,
  lbaRange: 0x080,
  capacityExceeded: 0x081,
  namespaceNotReady: 0x082,
  invalidCompletionQueue: 0x100,
  invalidQueueId: 0x101,
  invalidQueueSize: 0x102,
  abortLimit: 0x103,
  eventLimit: 0x105,
  invalidVector: 0x108,
  invalidLogPage: 0x109,
  invalidQueueDeletion: 0x10c,
  featureNotSaveable: 0x10d,
  featureNotChangeable: 0x10e,
  writeFault: 0x280,
  unrecoveredRead: 0x281,
  compareFailure: 0x285,
  accessDenied: 0x286,
} as const;

const statusNames = new Map<number, string>(
  Object.entries(NvmeStatus).map(([name, value]) => [
    value,
    name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
  ]),
);

/** "lba range (0/80h)"; a code without a name by its number. */
export function describeStatus(status: number): string {
  const number = `${status >>> 8}/${(status & 0xff).toString(16).padStart(2, "0")}h`;
  const name = statusNames.get(status);
  return name === undefined ? `status ${number}` : `${name} (${number})`;
}

/** Data pointer type of DW0 15:14. */
export const dataPointerPrp = 0;

/** A submission entry as a record that its owner uses again (node-performance.md §3). */
export interface NvmeCommand {
  opcode: number;
  fuse: number;
  dataPointer: number;
  commandId: number;
  namespaceId: number;
  /** Also the address of an SGL descriptor. */
  prp1: number;
  prp2: number;
  /** Of an SGL descriptor, in place of PRP2. */
  sglLength: number;
  sglType: number;
  dw10: number;
  dw11: number;
  dw12: number;
  dw13: number;
  dw14: number;
  dw15: number;
}

export function newCommand(): NvmeCommand {
  return {
    opcode: 0,
    fuse: 0,
    dataPointer: 0,
    commandId: 0,
    namespaceId: 0,
    prp1: 0,
    prp2: 0,
    sglLength: 0,
    sglType: 0,
    dw10: 0,
    dw11: 0,
    dw12: 0,
    dw13: 0,
    dw14: 0,
    dw15: 0,
  };
}

/** 64 bits as a number: exact below 2^53, nearest above, so that comparisons with limits stay right. */
export function getU64le(bytes: Uint8Array, offset: number): number {
  return getU32le(bytes, offset + 4) * 4294967296 + getU32le(bytes, offset);
}

export function putU64le(bytes: Uint8Array, offset: number, value: number): void {
  putU32le(bytes, offset, value >>> 0);
  putU32le(bytes, offset + 4, Math.floor(value / 4294967296));
}

/** Fills `command` from 64 bytes at `offset`. Any bytes have a meaning: judging them is the controller's. */
export function readCommand(bytes: Uint8Array, offset: number, command: NvmeCommand): void {
  command.opcode = bytes[offset];
  command.fuse = bytes[offset + 1] & 3;
  command.dataPointer = bytes[offset + 1] >>> 6;
  command.commandId = getU16le(bytes, offset + 2);
  command.namespaceId = getU32le(bytes, offset + 4);
  command.prp1 = getU64le(bytes, offset + 24);
  // The same bytes either way; DW0 says which reading counts.
  const isSgl = command.dataPointer !== dataPointerPrp;
  command.prp2 = isSgl ? 0 : getU64le(bytes, offset + 32);
  command.sglLength = isSgl ? getU32le(bytes, offset + 32) : 0;
  command.sglType = isSgl ? bytes[offset + 39] >>> 4 : 0;
  command.dw10 = getU32le(bytes, offset + 40);
  command.dw11 = getU32le(bytes, offset + 44);
  command.dw12 = getU32le(bytes, offset + 48);
  command.dw13 = getU32le(bytes, offset + 52);
  command.dw14 = getU32le(bytes, offset + 56);
  command.dw15 = getU32le(bytes, offset + 60);
}

/** Writes all 64 bytes. */
export function writeCommand(bytes: Uint8Array, offset: number, command: NvmeCommand): void {
  bytes[offset] = command.opcode;
  bytes[offset + 1] = command.fuse | (command.dataPointer << 6);
  putU16le(bytes, offset + 2, command.commandId);
  putU32le(bytes, offset + 4, command.namespaceId);
  // DW2, DW3 and the metadata pointer are zero here.
  bytes.fill(0, offset + 8, offset + 24);
  if (command.dataPointer === dataPointerPrp) {
    putU64le(bytes, offset + 24, command.prp1);
    putU64le(bytes, offset + 32, command.prp2);
  } else writeSglDescriptor(bytes, offset + 24, command.sglType, command.prp1, command.sglLength);
  putU32le(bytes, offset + 40, command.dw10);
  putU32le(bytes, offset + 44, command.dw11);
  putU32le(bytes, offset + 48, command.dw12);
  putU32le(bytes, offset + 52, command.dw13);
  putU32le(bytes, offset + 56, command.dw14);
  putU32le(bytes, offset + 60, command.dw15);
}

/** A completion entry (§4.6), as a record that is used again. */
export interface NvmeCompletion {
  result: number;
  submissionHead: number;
  submissionQueue: number;
  commandId: number;
  /** 0 or 1. */
  phase: number;
  /** Type << 8 | code. */
  status: number;
  isFinal: boolean;
}

export function newCompletion(): NvmeCompletion {
  return {
    result: 0,
    submissionHead: 0,
    submissionQueue: 0,
    commandId: 0,
    phase: 0,
    status: 0,
    isFinal: false,
  };
}

export function readCompletion(bytes: Uint8Array, offset: number, completion: NvmeCompletion): void {
  completion.result = getU32le(bytes, offset);
  completion.submissionHead = getU16le(bytes, offset + 8);
  completion.submissionQueue = getU16le(bytes, offset + 10);
  completion.commandId = getU16le(bytes, offset + 12);
  const word = getU16le(bytes, offset + 14);
  completion.phase = word & 1;
  completion.status = (word >>> 1) & 0x7ff;
  completion.isFinal = (word & 0x8000) !== 0;
}

export function writeCompletion(bytes: Uint8Array, offset: number, completion: NvmeCompletion): void {
  putU32le(bytes, offset, completion.result);
  putU32le(bytes, offset + 4, 0);
  putU16le(bytes, offset + 8, completion.submissionHead);
  putU16le(bytes, offset + 10, completion.submissionQueue);
  putU16le(bytes, offset + 12, completion.commandId);
  putU16le(
    bytes,
    offset + 14,
    completion.phase | (completion.status << 1) | (completion.isFinal ? 0x8000 : 0),
  );
}

/** The phase bit of the entry at `offset`, without reading the rest. */
export function phaseAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset + 14] & 1;
}

/** SGL descriptors (§4.4): 16 bytes of address, length and type. */
export const NvmeSgl = { dataBlock: 0x0, bitBucket: 0x1, segment: 0x2, lastSegment: 0x3 } as const;
export const sglDescriptorBytes = 16;

export function writeSglDescriptor(
  bytes: Uint8Array,
  offset: number,
  type: number,
  address: number,
  lengthBytes: number,
): void {
  putU64le(bytes, offset, address);
  putU32le(bytes, offset + 8, lengthBytes);
  putU32le(bytes, offset + 12, (type << 28) >>> 0);
}

/** Result of an asynchronous event request (§5.2): type 2:0, information 15:8, log page 23:16. */
export interface NvmeEvent {
  readonly type: number;
  readonly information: number;
  readonly logPage: number;
}

export function decodeEvent(result: number): NvmeEvent {
  return { type: result & 7, information: (result >>> 8) & 0xff, logPage: (result >>> 16) & 0xff };
}

export function encodeEvent(event: NvmeEvent): number {
  return event.type | (event.information << 8) | (event.logPage << 16);
}
