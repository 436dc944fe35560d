// Information units and pipe usage descriptors of USB Attached SCSI: T10 UAS-3 (uas3r), USB-IF UAS revision 1.0.

import { DecodeError } from "../../base/errors.ts";

/** bInterfaceProtocol of a UAS setting; class and subclass are those of mass storage. */
export const attachedScsiProtocol = 0x62;

/** bDescriptorType and bPipeID of a pipe usage descriptor: UAS-3 §5.3.3.4. */
export const pipeUsageDescriptor = 0x24;
export const PipeUsage = { command: 1, status: 2, dataIn: 3, dataOut: 4 } as const;
export type PipeUsage = (typeof PipeUsage)[keyof typeof PipeUsage];

/** IU ID: UAS-3 table 9. */
export const IuId = {
  command: 0x01,
  sense: 0x03,
  response: 0x04,
  taskManagement: 0x05,
  readReady: 0x06,
  writeReady: 0x07,
} as const;

/** Task attributes of a command IU. */
export const TaskAttribute = { simple: 0, headOfQueue: 1, ordered: 2, aca: 4 } as const;

/** TASK MANAGEMENT FUNCTION: UAS-3 table 20. */
export const TaskFunction = {
  abortTask: 0x01,
  abortTaskSet: 0x02,
  clearTaskSet: 0x04,
  logicalUnitReset: 0x08,
  nexusReset: 0x10,
  clearAca: 0x40,
  queryTask: 0x80,
  queryTaskSet: 0x81,
  queryAsynchronousEvent: 0x82,
} as const;

/** RESPONSE CODE of a response IU: UAS-3 table 18. */
export const ResponseCode = {
  complete: 0x00,
  invalidIu: 0x02,
  notSupported: 0x04,
  failed: 0x05,
  succeeded: 0x08,
  incorrectLun: 0x09,
  overlappedTag: 0x0a,
} as const;

export const commandIuBytes = 32;
export const senseIuHeaderBytes = 16;
export const responseIuBytes = 8;
export const taskManagementIuBytes = 16;
export const readyIuBytes = 4;
/** A status pipe's buffer: the header and the longest sense data kept. */
export const statusIuMaximum = senseIuHeaderBytes + 252;

const lunAt = 8;
const cdbAt = 16;
const shortCdbBytes = 16;

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];

/** Tag of any IU: bytes 2 and 3. */
export function iuTag(bytes: Uint8Array, offset = 0): number {
  return u16(bytes, offset + 2);
}

/** A command IU: UAS-3 §6.2.2. */
export interface CommandIu {
  tag: number;
  attribute: number;
  lun: number;
  cdbBytes: number;
  readonly cdb: Uint8Array;
}

export function newCommandIu(): CommandIu {
  return { tag: 0, attribute: 0, lun: 0, cdbBytes: 0, cdb: new Uint8Array(32) };
}

/** LUN of eight bytes in single-level form: SAM-5 §4.7, peripheral below 256, flat up to 16383. */
function putLun(bytes: Uint8Array, at: number, lun: number): void {
  bytes[at] = lun < 256 ? 0 : 0x40 | (lun >> 8);
  bytes[at + 1] = lun & 0xff;
  bytes.fill(0, at + 2, at + 8);
}

/** The number of a single-level LUN; -1 for any other form. */
function getLun(bytes: Uint8Array, at: number): number {
  for (let index = 2; index < 8; index++) if (bytes[at + index] !== 0) return -1;
  const method = bytes[at] >> 6;
  if (method === 0) return (bytes[at] & 0x3f) === 0 ? bytes[at + 1] : -1;
  return method === 1 ? ((bytes[at] & 0x3f) << 8) | bytes[at + 1] : -1;
}

/** Writes a command IU and answers its length: 32, or more for CDBs above 16 bytes, in steps of four. */
export function putCommandIu(
  bytes: Uint8Array,
  tag: number,
  attribute: number,
  lun: number,
  cdb: Uint8Array,
  cdbBytes: number,
): number {
  const additional = cdbBytes > shortCdbBytes ? (cdbBytes - shortCdbBytes + 3) & ~3 : 0;
  const length = commandIuBytes + additional;
  bytes[0] = IuId.command;
  bytes[1] = 0;
  bytes[2] = tag >> 8;
  bytes[3] = tag & 0xff;
  bytes[4] = attribute;
  bytes[5] = 0;
  bytes[6] = additional;
  bytes[7] = 0;
  putLun(bytes, lunAt, lun);
  for (let index = 0; index < shortCdbBytes + additional; index++)
    bytes[cdbAt + index] = index < cdbBytes ? cdb[index] : 0;
  return length;
}

/** Length of a CDB by its operation code: SPC-4 §4.2.5.1. Variable and vendor groups: 16 unless more came. */
function cdbLength(operation: number, carried: number, additional: number): number {
  switch (operation >> 5) {
    case 0:
      return 6;
    case 1:
    case 2:
      return 10;
    case 4:
      return 16;
    case 5:
      return 12;
    case 3:
      return operation === 0x7f ? Math.min(carried, 8 + additional) : carried;
    default:
      return carried;
  }
}

/** DecodeError: another IU, cut short, or a LUN that has more than one level. */
export function decodeCommandIu(
  bytes: Uint8Array,
  offset: number,
  length: number,
  into: CommandIu = newCommandIu(),
): CommandIu {
  if (length < commandIuBytes || bytes.length - offset < length)
    throw new DecodeError("command IU", length, `a command IU has at least 32 bytes, not ${length}`);
  if (bytes[offset] !== IuId.command) throw new DecodeError("command IU", 0, `IU ID is ${bytes[offset]}`);
  const additional = bytes[offset + 6] & 0xfc;
  if (commandIuBytes + additional > length)
    throw new DecodeError("command IU", 6, `${additional} additional CDB bytes do not fit in ${length}`);
  if (additional > into.cdb.length - shortCdbBytes)
    throw new DecodeError("command IU", 6, `a CDB of ${shortCdbBytes + additional} bytes is too long`);
  const lun = getLun(bytes, offset + lunAt);
  if (lun < 0) throw new DecodeError("command IU", lunAt, "the LUN is not of one level");
  into.tag = u16(bytes, offset + 2);
  into.attribute = bytes[offset + 4] & 7;
  into.lun = lun;
  const carried = shortCdbBytes + additional;
  into.cdbBytes = cdbLength(bytes[offset + cdbAt], carried, bytes[offset + cdbAt + 7]);
  for (let index = 0; index < into.cdb.length; index++)
    into.cdb[index] = index < into.cdbBytes ? bytes[offset + cdbAt + index] : 0;
  return into;
}

/** A task management IU: UAS-3 §6.2.6. */
export interface TaskManagementIu {
  tag: number;
  function: number;
  managedTag: number;
  lun: number;
}

export function putTaskManagementIu(
  bytes: Uint8Array,
  tag: number,
  taskFunction: number,
  managedTag: number,
  lun: number,
): number {
  bytes[0] = IuId.taskManagement;
  bytes[1] = 0;
  bytes[2] = tag >> 8;
  bytes[3] = tag & 0xff;
  bytes[4] = taskFunction;
  bytes[5] = 0;
  bytes[6] = managedTag >> 8;
  bytes[7] = managedTag & 0xff;
  putLun(bytes, lunAt, lun);
  return taskManagementIuBytes;
}

export function decodeTaskManagementIu(bytes: Uint8Array, offset: number, length: number): TaskManagementIu {
  if (length < taskManagementIuBytes || bytes.length - offset < length)
    throw new DecodeError("task management IU", length, `16 bytes are needed, ${length} came`);
  if (bytes[offset] !== IuId.taskManagement)
    throw new DecodeError("task management IU", 0, `IU ID is ${bytes[offset]}`);
  return {
    tag: u16(bytes, offset + 2),
    function: bytes[offset + 4],
    managedTag: u16(bytes, offset + 6),
    lun: getLun(bytes, offset + lunAt),
  };
}

/** READ READY or WRITE READY: UAS-3 §6.2.7, §6.2.8. Answers the length. */
export function putReadyIu(bytes: Uint8Array, offset: number, id: number, tag: number): number {
  bytes[offset] = id;
  bytes[offset + 1] = 0;
  bytes[offset + 2] = tag >> 8;
  bytes[offset + 3] = tag & 0xff;
  return readyIuBytes;
}

/** A sense IU: UAS-3 §6.2.4. Answers the length; sense data beyond the buffer's end is cut off. */
export function putSenseIu(
  bytes: Uint8Array,
  offset: number,
  tag: number,
  status: number,
  sense: Uint8Array,
  senseBytes: number,
): number {
  const room = Math.max(0, bytes.length - offset - senseIuHeaderBytes);
  const length = Math.min(senseBytes, room);
  bytes.fill(0, offset, offset + senseIuHeaderBytes);
  bytes[offset] = IuId.sense;
  bytes[offset + 2] = tag >> 8;
  bytes[offset + 3] = tag & 0xff;
  bytes[offset + 6] = status;
  bytes[offset + 14] = length >> 8;
  bytes[offset + 15] = length & 0xff;
  for (let index = 0; index < length; index++) bytes[offset + senseIuHeaderBytes + index] = sense[index];
  return senseIuHeaderBytes + length;
}

/** A response IU: UAS-3 §6.2.5. */
export function putResponseIu(bytes: Uint8Array, offset: number, tag: number, code: number): number {
  bytes.fill(0, offset, offset + responseIuBytes);
  bytes[offset] = IuId.response;
  bytes[offset + 2] = tag >> 8;
  bytes[offset + 3] = tag & 0xff;
  bytes[offset + 7] = code;
  return responseIuBytes;
}

/** What may come on a status pipe. Reused by whoever decodes on a hot path. */
export interface StatusIu {
  id: number;
  tag: number;
  /** Sense IU: SCSI status. Response IU: response code. Otherwise 0. */
  status: number;
  /** Sense IU: where the sense data begins in the buffer, and how much came. */
  senseAt: number;
  senseBytes: number;
}

export function newStatusIu(): StatusIu {
  return { id: 0, tag: 0, status: 0, senseAt: 0, senseBytes: 0 };
}

/**
 * Reads whatever a device may send on its status pipe. DecodeError for an unknown IU or one cut short. A sense IU may
 * end before its sense data does: what came counts.
 */
export function decodeStatusIu(
  bytes: Uint8Array,
  offset: number,
  length: number,
  into: StatusIu = newStatusIu(),
): StatusIu {
  if (length < readyIuBytes || bytes.length - offset < length)
    throw new DecodeError("status IU", length, `an IU has at least 4 bytes, not ${length}`);
  const id = bytes[offset];
  into.id = id;
  into.tag = u16(bytes, offset + 2);
  into.status = 0;
  into.senseAt = 0;
  into.senseBytes = 0;
  if (id === IuId.readReady || id === IuId.writeReady) return into;
  if (id === IuId.response) {
    if (length < responseIuBytes) throw new DecodeError("response IU", length, "cut short");
    into.status = bytes[offset + 7];
    return into;
  }
  if (id !== IuId.sense) throw new DecodeError("status IU", 0, `no IU on a status pipe has the ID ${id}`);
  // Early drafts had shorter headers; this is what is published: UAS-3 table 15.
  if (length < senseIuHeaderBytes) throw new DecodeError("sense IU", length, "cut short");
  into.status = bytes[offset + 6];
  into.senseAt = offset + senseIuHeaderBytes;
  into.senseBytes = Math.min(u16(bytes, offset + 14), length - senseIuHeaderBytes);
  return into;
}

/** The four bytes of a pipe usage descriptor. */
export function encodePipeUsage(usage: PipeUsage): Uint8Array {
  return Uint8Array.of(4, pipeUsageDescriptor, usage, 0);
}

/** bPipeID of a pipe usage descriptor, null for any other descriptor. */
export function pipeUsageOf(descriptor: Uint8Array): number | null {
  return descriptor.length >= 4 && descriptor[1] === pipeUsageDescriptor ? descriptor[2] : null;
}
