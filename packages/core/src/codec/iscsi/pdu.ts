// iSCSI PDUs: opcodes, where fields lie in the basic header segment, and statuses. RFC 7143 §11.

import { getU16be, getU24be } from "../../base/bytes.ts";

export const iscsiHeaderBytes = 48;

/** Opcodes from the initiator (00h..) and from the target (20h..). */
export const IscsiOpcode = {
  nopOut: 0x00,
  command: 0x01,
  taskManagement: 0x02,
  login: 0x03,
  text: 0x04,
  dataOut: 0x05,
  logout: 0x06,
  snack: 0x10,
  nopIn: 0x20,
  response: 0x21,
  taskManagementResponse: 0x22,
  loginResponse: 0x23,
  textResponse: 0x24,
  dataIn: 0x25,
  logoutResponse: 0x26,
  readyToTransfer: 0x31,
  asyncMessage: 0x32,
  reject: 0x3f,
} as const;

const opcodeNames: Readonly<Record<number, string>> = {
  0: "NOP-Out",
  1: "SCSI Command",
  2: "Task Management Function Request",
  3: "Login Request",
  4: "Text Request",
  5: "SCSI Data-Out",
  6: "Logout Request",
  16: "SNACK Request",
  32: "NOP-In",
  33: "SCSI Response",
  34: "Task Management Function Response",
  35: "Login Response",
  36: "Text Response",
  37: "SCSI Data-In",
  38: "Logout Response",
  49: "Ready To Transfer",
  50: "Asynchronous Message",
  63: "Reject",
};

export function iscsiOpcodeName(opcode: number): string {
  return opcodeNames[opcode & 0x3f] ?? `opcode 0x${(opcode & 0x3f).toString(16)}`;
}

/** Byte 0: the command may overtake others. Byte 1: the last PDU of a sequence. */
export const iscsiImmediate = 0x40;
export const iscsiFinal = 0x80;

/** Offsets of fields that PDUs share. Those with two names lie at one place in different PDUs. */
export const IscsiField = {
  flags: 1,
  /** Response or reason (byte 2), status (byte 3). */
  response: 2,
  status: 3,
  totalAhsLength: 4,
  dataSegmentLength: 5,
  lun: 8,
  initiatorTaskTag: 16,
  /** Target transfer tag; referenced task tag; expected data transfer length. */
  targetTransferTag: 20,
  referencedTaskTag: 20,
  expectedDataLength: 20,
  cmdSn: 24,
  statSn: 24,
  expStatSn: 28,
  expCmdSn: 28,
  maxCmdSn: 32,
  cdb: 32,
  /** DataSN, R2TSN, ExpDataSN. */
  dataSn: 36,
  bufferOffset: 40,
  residual: 44,
  desiredLength: 44,
} as const;

/** Flags of a SCSI Command. */
export const CommandFlag = { read: 0x40, write: 0x20 } as const;
/** Flags of Data-In and SCSI Response. */
export const ResponseFlag = { overflow: 0x04, underflow: 0x02, status: 0x01 } as const;
/** "No tag": all ones. */
export const noTag = 0xffffffff;

export const IscsiTaskFunction = {
  abortTask: 1,
  abortTaskSet: 2,
  clearAca: 3,
  clearTaskSet: 4,
  logicalUnitReset: 5,
  targetWarmReset: 6,
  targetColdReset: 7,
  taskReassign: 8,
} as const;

export const IscsiTaskResponse = {
  complete: 0,
  noTask: 1,
  noUnit: 2,
  reassignNotSupported: 4,
  notSupported: 5,
  rejected: 255,
} as const;

/** Status-Class in the high byte, Status-Detail in the low one (RFC 7143 §11.13.5). */
export const LoginStatus = {
  success: 0x0000,
  initiatorError: 0x0200,
  authenticationFailed: 0x0201,
  targetNotFound: 0x0203,
  unsupportedVersion: 0x0205,
  missingParameter: 0x0207,
  sessionTypeNotSupported: 0x0209,
  noSession: 0x020a,
  outOfResources: 0x0302,
} as const;

const loginRefusals: Readonly<Record<number, string>> = {
  [LoginStatus.initiatorError]: "its login was wrong",
  [LoginStatus.authenticationFailed]: "it could not prove who it is (CHAP: user or secret is another)",
  [LoginStatus.targetNotFound]: "it asked for another target",
  [LoginStatus.unsupportedVersion]: "it speaks another version",
  [LoginStatus.missingParameter]: "its login lacks a parameter",
  [LoginStatus.sessionTypeNotSupported]: "it asked for a kind of session that does not exist",
  [LoginStatus.noSession]: "the session that it wanted to join does not exist",
  [LoginStatus.outOfResources]: "there is no room for another initiator",
};

/** Why a login was refused, for people (RFC 7143 §11.13.5). */
export function loginRefusal(status: number): string {
  const code = `login status ${status.toString(16).padStart(4, "0")}`;
  const words = loginRefusals[status];
  return words === undefined ? code : `${words} (${code})`;
}

export const RejectReason = { protocolError: 0x04, commandNotSupported: 0x05, invalidField: 0x09 } as const;

export const LoginStage = { security: 0, operational: 1, fullFeature: 3 } as const;

/** Data bytes of a PDU, without padding, from its header. */
export function dataSegmentBytes(header: Uint8Array, at = 0): number {
  return getU24be(header, at + IscsiField.dataSegmentLength);
}

/** Padding behind `length` bytes of data. */
export function paddingOf(length: number): number {
  return -length & 3;
}

/**
 * The whole CDB of a SCSI Command into `cdb`; answers its length. `header` holds the basic header and its additional
 * segments (`ahsBytes`). Bytes beyond 16 come from an extended CDB segment (type 1). 0: the segments are malformed.
 */
export function readIscsiCdb(header: Uint8Array, ahsBytes: number, cdb: Uint8Array): number {
  for (let index = 0; index < 16; index++) cdb[index] = header[IscsiField.cdb + index];
  let length = 16;
  let at = iscsiHeaderBytes;
  const end = at + ahsBytes;
  while (at + 4 <= end) {
    const bytes = getU16be(header, at);
    const type = header[at + 2] & 0x3f;
    if (bytes < 1 || at + 3 + bytes > end) return 0;
    if (type === 1) {
      const more = bytes - 1;
      if (length + more > cdb.length) return 0;
      cdb.set(header.subarray(at + 4, at + 4 + more), length);
      length += more;
    }
    at += (3 + bytes + 3) & ~3;
  }
  cdb.fill(0, length);
  return length;
}

/** a < b in serial number arithmetic of 32 bits (RFC 1982). */
export function serialLess(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}
