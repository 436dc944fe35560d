// Sense data, fixed and descriptor format, and the names of keys and codes. SPC-4 r37 §4.5.

import { getU16be, getU32be, getU64be, putU16be, putU32be, putU64be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

export const SenseKey = {
  noSense: 0x0,
  recoveredError: 0x1,
  notReady: 0x2,
  mediumError: 0x3,
  hardwareError: 0x4,
  illegalRequest: 0x5,
  unitAttention: 0x6,
  dataProtect: 0x7,
  blankCheck: 0x8,
  vendorSpecific: 0x9,
  copyAborted: 0xa,
  abortedCommand: 0xb,
  volumeOverflow: 0xd,
  miscompare: 0xe,
  completed: 0xf,
} as const;
export type SenseKey = (typeof SenseKey)[keyof typeof SenseKey];

const keyNames: readonly string[] = [
  "NO SENSE",
  "RECOVERED ERROR",
  "NOT READY",
  "MEDIUM ERROR",
  "HARDWARE ERROR",
  "ILLEGAL REQUEST",
  "UNIT ATTENTION",
  "DATA PROTECT",
  "BLANK CHECK",
  "VENDOR SPECIFIC",
  "COPY ABORTED",
  "ABORTED COMMAND",
  "EQUAL",
  "VOLUME OVERFLOW",
  "MISCOMPARE",
  "COMPLETED",
];

/** Additional sense code (high byte) and qualifier (low byte). SPC-4 annex F.2; those a disk gives. */
export const SenseCode = {
  noAdditionalSense: 0x0000,
  operationInProgress: 0x0016,
  sanitizeInProgress: 0x041b,
  notReadyCauseNotReportable: 0x0400,
  becomingReady: 0x0401,
  initializingCommandRequired: 0x0402,
  formatInProgress: 0x0404,
  powerCycleRequired: 0x0422,
  writeError: 0x0c00,
  unexpectedUnsolicitedData: 0x0c0c,
  notEnoughUnsolicitedData: 0x0c0d,
  informationUnitIuCrc: 0x0e03,
  unrecoveredReadError: 0x1100,
  miscompareDuringVerify: 0x1d00,
  parameterListLengthError: 0x1a00,
  invalidCommandOperationCode: 0x2000,
  logicalBlockAddressOutOfRange: 0x2100,
  invalidFieldInCdb: 0x2400,
  logicalUnitNotSupported: 0x2500,
  invalidFieldInParameterList: 0x2600,
  invalidReleaseOfPersistentReservation: 0x2604,
  tooManyTargetDescriptors: 0x2606,
  unsupportedTargetDescriptorType: 0x2607,
  tooManySegmentDescriptors: 0x2608,
  unsupportedSegmentDescriptorType: 0x2609,
  writeProtected: 0x2700,
  hardwareWriteProtected: 0x2701,
  softwareWriteProtected: 0x2702,
  notReadyToReady: 0x2800,
  powerOnResetOrBusReset: 0x2900,
  powerOn: 0x2901,
  scsiBusReset: 0x2902,
  busDeviceReset: 0x2903,
  itNexusLoss: 0x2907,
  modeParametersChanged: 0x2a01,
  reservationsPreempted: 0x2a03,
  reservationsReleased: 0x2a04,
  registrationsPreempted: 0x2a05,
  capacityDataChanged: 0x2a09,
  commandSequenceError: 0x2c00,
  commandsCleared: 0x2f00,
  savingParametersNotSupported: 0x3900,
  mediumNotPresent: 0x3a00,
  mediumNotPresentTrayOpen: 0x3a02,
  inquiryDataChanged: 0x3f03,
  reportedLunsDataChanged: 0x3f0e,
  internalTargetFailure: 0x4400,
  protocolServiceCrcError: 0x4705,
  dataPhaseError: 0x4b00,
  mediumRemovalPrevented: 0x5302,
  insufficientRegistrationResources: 0x5504,
  operatorMediumRemovalRequest: 0x5a01,
  standbyByCommand: 0x5e04,
  logicalUnitAccessNotAuthorized: 0x7471,
  thirdPartyDeviceFailure: 0x0d01,
  copyTargetDeviceNotReachable: 0x0d02,
  spaceAllocationFailedWriteProtect: 0x2707,
  ataPassThroughInformation: 0x001d,
} as const;
export type SenseCode = (typeof SenseCode)[keyof typeof SenseCode];

const codeNames: Readonly<Record<number, string>> = {
  0: "no additional sense information",
  22: "operation in progress",
  29: "ATA pass through information available",
  1024: "logical unit not ready, cause not reportable",
  1025: "logical unit is in process of becoming ready",
  1026: "logical unit not ready, initializing command required",
  1028: "logical unit not ready, format in progress",
  1051: "logical unit not ready, sanitize in progress",
  1058: "logical unit not ready, power cycle required",
  3072: "write error",
  3084: "write error, unexpected unsolicited data",
  3085: "write error, not enough unsolicited data",
  3329: "third party device failure",
  3330: "copy target device not reachable",
  3587: "information unit CRC error detected",
  4352: "unrecovered read error",
  6656: "parameter list length error",
  7424: "miscompare during verify operation",
  8192: "invalid command operation code",
  8448: "logical block address out of range",
  9216: "invalid field in CDB",
  9472: "logical unit not supported",
  9728: "invalid field in parameter list",
  9732: "invalid release of persistent reservation",
  9734: "too many target descriptors",
  9735: "unsupported target descriptor type code",
  9736: "too many segment descriptors",
  9737: "unsupported segment descriptor type code",
  9984: "write protected",
  9985: "hardware write protected",
  9986: "logical unit software write protected",
  9991: "space allocation failed write protect",
  10240: "not ready to ready change, medium may have changed",
  10496: "power on, reset, or bus device reset occurred",
  10497: "power on occurred",
  10498: "SCSI bus reset occurred",
  10499: "bus device reset function occurred",
  10503: "I_T nexus loss occurred",
  10753: "mode parameters changed",
  10755: "reservations preempted",
  10756: "reservations released",
  10757: "registrations preempted",
  10761: "capacity data has changed",
  11264: "command sequence error",
  12032: "commands cleared by another initiator",
  14592: "saving parameters not supported",
  14848: "medium not present",
  14850: "medium not present, tray open",
  16131: "inquiry data has changed",
  16142: "reported LUNs data has changed",
  17408: "internal target failure",
  18181: "protocol service CRC error",
  19200: "data phase error",
  21250: "medium removal prevented",
  21764: "insufficient registration resources",
  23041: "operator medium removal request",
  24068: "standby condition activated by command",
  29809: "logical unit access not authorized",
};

export function senseKeyName(key: number): string {
  return keyNames[key & 0x0f];
}

/** Name of an additional sense code; a number where it is not in the table. */
export function senseCodeName(code: number): string {
  const digits = code.toString(16).padStart(4, "0");
  return codeNames[code] ?? `ASC/ASCQ ${digits.slice(0, 2)}/${digits.slice(2)}`;
}

/** What sense data can say. Absent things are null. */
export interface Sense {
  readonly key: number;
  /** ASC in the high byte, ASCQ in the low one. */
  readonly code: number;
  /** About an earlier command (response code 71h or 73h). */
  readonly isDeferred?: boolean;
  /** First block in error, or a length difference. */
  readonly information?: number | null;
  readonly commandSpecific?: number | null;
  /** ILLEGAL REQUEST: the byte in error, in the CDB or in the parameter list; `bit` null when no bit is named. */
  readonly fieldPointer?: {
    readonly isCdb: boolean;
    readonly byte: number;
    readonly bit: number | null;
  } | null;
  /** NOT READY and NO SENSE: how far a long operation is, 0 to 65535. */
  readonly progress?: number | null;
}

/** Length of fixed format sense data as written here. */
export const fixedSenseBytes = 18;

/** Writes fixed format (response code 70h) and answers its length, 18. An `information` of 2^32 or more is left out. */
export function writeFixedSense(into: Uint8Array, sense: Sense): number {
  into.fill(0, 0, fixedSenseBytes);
  into[0] = sense.isDeferred === true ? 0x71 : 0x70;
  into[2] = sense.key;
  into[7] = fixedSenseBytes - 8;
  const information = sense.information ?? null;
  if (information !== null && information < 0x100000000) {
    into[0] |= 0x80;
    putU32be(into, 3, information);
  }
  putU32be(into, 8, sense.commandSpecific ?? 0);
  putU16be(into, 12, sense.code);
  writeKeySpecific(into, 15, sense);
  return fixedSenseBytes;
}

/** Three bytes of sense key specific data (SPC-4 §4.5.2.4); true when there is something to say. */
function writeKeySpecific(into: Uint8Array, at: number, sense: Sense): boolean {
  const pointer = sense.fieldPointer ?? null;
  if (pointer !== null) {
    into[at] = 0x80 | (pointer.isCdb ? 0x40 : 0) | (pointer.bit === null ? 0 : 0x08 | pointer.bit);
    putU16be(into, at + 1, pointer.byte);
    return true;
  }
  const progress = sense.progress ?? null;
  if (progress === null) return false;
  into[at] = 0x80;
  putU16be(into, at + 1, progress);
  return true;
}

/** Writes descriptor format (response code 72h) and answers its length: 8 to 44 bytes. */
export function writeDescriptorSense(into: Uint8Array, sense: Sense): number {
  into.fill(0, 0, 44);
  into[0] = sense.isDeferred === true ? 0x73 : 0x72;
  into[1] = sense.key;
  putU16be(into, 2, sense.code);
  let at = 8;
  const information = sense.information ?? null;
  if (information !== null) {
    into[at + 1] = 0x0a;
    into[at + 2] = 0x80;
    putU64be(into, at + 4, information);
    at += 12;
  }
  const specific = sense.commandSpecific ?? null;
  if (specific !== null) {
    into[at] = 0x01;
    into[at + 1] = 0x0a;
    putU64be(into, at + 4, specific);
    at += 12;
  }
  if (writeKeySpecific(into, at + 4, sense)) {
    into[at] = 0x02;
    into[at + 1] = 0x06;
    at += 8;
  }
  into[7] = at - 8;
  return at;
}

export type DecodedSense = Required<Sense> & { readonly isDescriptor: boolean };

function keySpecific(
  bytes: Uint8Array,
  at: number,
  key: number,
): Pick<DecodedSense, "fieldPointer" | "progress"> {
  if ((bytes[at] & 0x80) === 0) return { fieldPointer: null, progress: null };
  const value = getU16be(bytes, at + 1);
  if (key === SenseKey.illegalRequest) {
    const bit = (bytes[at] & 0x08) !== 0 ? bytes[at] & 0x07 : null;
    return { fieldPointer: { isCdb: (bytes[at] & 0x40) !== 0, byte: value, bit }, progress: null };
  }
  const hasProgress = key === SenseKey.notReady || key === SenseKey.noSense;
  return { fieldPointer: null, progress: hasProgress ? value : null };
}

/** Reads either format. Short fixed sense is fine as long as the key is there, as SPC-4 §4.5.3 allows. */
export function decodeSense(bytes: Uint8Array): DecodedSense {
  if (bytes.length < 1) throw new DecodeError("sense data", 0, "empty");
  const response = bytes[0] & 0x7f;
  const isDeferred = response === 0x71 || response === 0x73;
  if (response === 0x70 || response === 0x71) {
    if (bytes.length < 3) throw new DecodeError("sense data", bytes.length, "no sense key");
    const end = bytes.length < 8 ? bytes.length : Math.min(bytes.length, 8 + bytes[7]);
    const key = bytes[2] & 0x0f;
    const hasSpecific = end >= 18;
    return {
      key,
      code: end >= 14 ? getU16be(bytes, 12) : 0,
      isDeferred,
      isDescriptor: false,
      information: end >= 7 && (bytes[0] & 0x80) !== 0 ? getU32be(bytes, 3) : null,
      commandSpecific: end >= 12 ? getU32be(bytes, 8) : null,
      ...(hasSpecific ? keySpecific(bytes, 15, key) : { fieldPointer: null, progress: null }),
    };
  }
  if (response !== 0x72 && response !== 0x73)
    throw new DecodeError("sense data", 0, `response code 0x${response.toString(16)}`);
  if (bytes.length < 8) throw new DecodeError("sense data", bytes.length, "descriptor format needs 8 bytes");
  const key = bytes[1] & 0x0f;
  let information: number | null = null;
  let commandSpecific: number | null = null;
  let specific: Pick<DecodedSense, "fieldPointer" | "progress"> = { fieldPointer: null, progress: null };
  const end = Math.min(bytes.length, 8 + bytes[7]);
  for (let at = 8; at + 2 <= end; at += 2 + bytes[at + 1]) {
    const length = 2 + bytes[at + 1];
    if (at + length > end)
      throw new DecodeError("sense data", at + 1, `a descriptor of ${length} bytes does not fit`);
    if (bytes[at] === 0x00 && length >= 12 && (bytes[at + 2] & 0x80) !== 0)
      information = getU64be(bytes, at + 4);
    else if (bytes[at] === 0x01 && length >= 12) commandSpecific = getU64be(bytes, at + 4);
    else if (bytes[at] === 0x02 && length >= 7) specific = keySpecific(bytes, at + 4, key);
  }
  const code = getU16be(bytes, 2);
  return { key, code, isDeferred, isDescriptor: true, information, commandSpecific, ...specific };
}

/** `ILLEGAL REQUEST (5/24/00): invalid field in CDB, byte 2`. */
export function senseText(sense: Sense): string {
  const code = sense.code.toString(16).padStart(4, "0");
  const pointer = sense.fieldPointer ?? null;
  const where = pointer === null ? "" : `, ${pointer.isCdb ? "byte" : "parameter byte"} ${pointer.byte}`;
  const information = sense.information ?? null;
  const block = information === null ? "" : `, information ${information}`;
  return `${senseKeyName(sense.key)} (${sense.key.toString(16)}/${code.slice(0, 2)}/${code.slice(2)}): ${senseCodeName(sense.code)}${where}${block}`;
}
