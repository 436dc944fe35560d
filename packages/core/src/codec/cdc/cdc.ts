// CDC ACM: line coding, control lines, notifications. USB CDC 1.2 and its PSTN subclass 1.2.

import { ByteReader, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import type { RawDescriptor } from "../usb/descriptors.ts";
import { RequestType, type Setup } from "../usb/setup.ts";

/** PSTN 1.2 table 13. */
export const CdcRequest = {
  setLineCoding: 0x20,
  getLineCoding: 0x21,
  setControlLineState: 0x22,
  sendBreak: 0x23,
} as const;

/** CDC 1.2 table 11 and PSTN table 30. */
export const CdcNotification = { networkConnection: 0x00, serialState: 0x20 } as const;

/** Interface class and subclass codes: CDC 1.2 tables 14 to 18. */
export const cdcControlClass = 0x02;
export const cdcAcmSubClass = 0x02;
export const cdcAtProtocol = 0x01;
export const cdcDataClass = 0x0a;

/** Functional descriptor subtypes: CDC 1.2 table 13. */
const FunctionalSubtype = { header: 0, callManagement: 1, acm: 2, union: 6 } as const;
const classSpecificInterface = 0x24;

/** bmCapabilities of the ACM descriptor: PSTN table 4. */
export const AcmCapability = {
  commFeature: 0x01,
  /** SET/GET_LINE_CODING, SET_CONTROL_LINE_STATE and SERIAL_STATE are there: "D1" of posts.md P02. */
  lineCoding: 0x02,
  sendBreak: 0x04,
  networkConnection: 0x08,
} as const;

/** bmControlLineState of SET_CONTROL_LINE_STATE: PSTN table 18. */
export const ControlLine = { dtr: 0x01, rts: 0x02 } as const;

/** UART state bitmap of SERIAL_STATE: PSTN table 31. */
export const SerialStateBit = {
  dcd: 0x01,
  dsr: 0x02,
  break: 0x04,
  ring: 0x08,
  framing: 0x10,
  parity: 0x20,
  overrun: 0x40,
} as const;

/** PSTN table 17. Stop bits 0: one, 1: one and a half, 2: two. Parity 0 none, 1 odd, 2 even, 3 mark, 4 space. */
export interface LineCoding {
  dwDTERate: number;
  bCharFormat: number;
  bParityType: number;
  bDataBits: number;
}

export const lineCodingBytes = 7;

/** Seven bytes, little-endian. The fields are written as they are: a wrong value is the caller's to make. */
export function encodeLineCoding(
  coding: LineCoding,
  into: Uint8Array = new Uint8Array(lineCodingBytes),
): Uint8Array {
  putU32le(into, 0, coding.dwDTERate);
  into[4] = coding.bCharFormat;
  into[5] = coding.bParityType;
  into[6] = coding.bDataBits;
  return into;
}

/** Reads the fields without judging them. Throws DecodeError when fewer than 7 bytes came. */
export function decodeLineCoding(bytes: Uint8Array): LineCoding {
  const reader = new ByteReader(bytes, "line coding");
  return {
    dwDTERate: reader.u32le("dwDTERate"),
    bCharFormat: reader.u8("bCharFormat"),
    bParityType: reader.u8("bParityType"),
    bDataBits: reader.u8("bDataBits"),
  };
}

/** What PSTN 1.2 §6.3.10 does not allow in a line coding, or null. */
export function lineCodingProblem(coding: LineCoding): string | null {
  if (coding.dwDTERate === 0) return "the rate is 0";
  if (coding.bCharFormat > 2) return `bCharFormat ${coding.bCharFormat} is not 0, 1 or 2`;
  if (coding.bParityType > 4) return `bParityType ${coding.bParityType} is not 0 to 4`;
  if (![5, 6, 7, 8, 16].includes(coding.bDataBits))
    return `bDataBits ${coding.bDataBits} is not 5, 6, 7, 8 or 16`;
  return null;
}

/** The functional descriptors of an ACM control interface, in the customary order. */
export function encodeAcmFunction(
  capabilities: number,
  controlInterface: number,
  dataInterface: number,
): Uint8Array[] {
  return [
    Uint8Array.of(5, classSpecificInterface, FunctionalSubtype.header, 0x10, 0x01),
    Uint8Array.of(5, classSpecificInterface, FunctionalSubtype.callManagement, 0x00, dataInterface),
    Uint8Array.of(4, classSpecificInterface, FunctionalSubtype.acm, capabilities),
    Uint8Array.of(5, classSpecificInterface, FunctionalSubtype.union, controlInterface, dataInterface),
  ];
}

export interface AcmFunction {
  /** bmCapabilities; null when the ACM descriptor is missing. */
  readonly capabilities: number | null;
  /** Subordinate interface of the union; null when there is no union. */
  readonly dataInterface: number | null;
}

/** Reads the functional descriptors of a control interface; unknown ones are skipped, cut ones are a DecodeError. */
export function parseAcmFunction(extra: readonly RawDescriptor[]): AcmFunction {
  let capabilities: number | null = null;
  let dataInterface: number | null = null;
  for (const { type, bytes, offset } of extra) {
    if (type !== classSpecificInterface || bytes.length < 3) continue;
    if (bytes[2] === FunctionalSubtype.acm) {
      if (bytes.length < 4)
        throw new DecodeError(
          "ACM functional descriptor",
          offset + bytes.length,
          "bmCapabilities is missing",
        );
      capabilities = bytes[3];
    } else if (bytes[2] === FunctionalSubtype.union) {
      if (bytes.length < 5)
        throw new DecodeError(
          "union functional descriptor",
          offset + bytes.length,
          "no subordinate interface",
        );
      dataInterface = bytes[4];
    }
  }
  return { capabilities, dataInterface };
}

/** What the functional descriptors say, as far as they can be read. Judges nothing: hosts are lenient here. */
export interface AcmView {
  /** bmCapabilities of the ACM descriptor; null when there is none, or it is cut. */
  readonly capabilities: number | null;
  /** Interfaces that the union names, its master first. */
  readonly unionInterfaces: readonly number[];
  /** bDataInterface of the call management descriptor. */
  readonly callManagementInterface: number | null;
}

export function viewAcmFunction(extra: readonly RawDescriptor[]): AcmView {
  const found = (subtype: number, length: number): Uint8Array | null =>
    extra.find(
      ({ type, bytes }) => type === classSpecificInterface && bytes[2] === subtype && bytes.length >= length,
    )?.bytes ?? null;
  return {
    capabilities: found(FunctionalSubtype.acm, 4)?.[3] ?? null,
    unionInterfaces: [...(found(FunctionalSubtype.union, 5)?.subarray(3) ?? [])],
    callManagementInterface: found(FunctionalSubtype.callManagement, 5)?.[4] ?? null,
  };
}

export const serialStateBytes = 10;

/** A SERIAL_STATE notification: 8 bytes of header and the bitmap (PSTN §6.5.4). */
export function encodeSerialState(controlInterface: number, bits: number): Uint8Array {
  const bytes = Uint8Array.of(0xa1, CdcNotification.serialState, 0, 0, 0, 0, 2, 0, 0, 0);
  putU16le(bytes, 4, controlInterface);
  putU16le(bytes, 8, bits);
  return bytes;
}

/**
 * Puts notifications together from the interrupt packets they may be split over. Bytes that begin no notification
 * are skipped until one does.
 */
export class SerialStateAssembler {
  readonly #pending: number[] = [];

  /** Feeds a packet; answers the bitmaps of all notifications that are complete now. */
  push(packet: Uint8Array, length: number): number[] {
    for (let index = 0; index < length; index++) this.#pending.push(packet[index]);
    const states: number[] = [];
    while (this.#pending.length >= 8) {
      if (this.#pending[0] !== 0xa1) {
        this.#pending.shift();
        continue;
      }
      const total = 8 + (this.#pending[6] | (this.#pending[7] << 8));
      if (total > 64) {
        this.#pending.shift();
        continue;
      }
      if (this.#pending.length < total) break;
      if (this.#pending[1] === CdcNotification.serialState && total >= serialStateBytes) {
        states.push(this.#pending[8] | (this.#pending[9] << 8));
      }
      this.#pending.splice(0, total);
    }
    return states;
  }
}

/** `115200 8N1`: rate, data bits, parity letter, stop bits; "?" for what PSTN table 17 does not define. */
function describeLineCoding(coding: LineCoding): string {
  const parity = "NOEMS"[coding.bParityType] ?? "?";
  const stop = ["1", "1.5", "2"][coding.bCharFormat] ?? "?";
  return `${coding.dwDTERate} ${coding.bDataBits}${parity}${stop}`;
}

/**
 * Names a CDC request for traces; null for anything else. `data` is the data stage as far as it is known: with all of
 * a line coding in it, the text says the coding too.
 */
export function describeCdcRequest(setup: Setup, data?: Uint8Array): string | null {
  if ((setup.bmRequestType & RequestType.mask) !== RequestType.class) return null;
  const isCoding = data !== undefined && data.length >= lineCodingBytes;
  const coding = isCoding ? `: ${describeLineCoding(decodeLineCoding(data))}` : "";
  switch (setup.bRequest) {
    case CdcRequest.setLineCoding:
      return `SET_LINE_CODING interface ${setup.wIndex}${coding}`;
    case CdcRequest.getLineCoding:
      return `GET_LINE_CODING interface ${setup.wIndex}${coding}`;
    case CdcRequest.setControlLineState: {
      const dtr = (setup.wValue & ControlLine.dtr) !== 0 ? "on" : "off";
      const rts = (setup.wValue & ControlLine.rts) !== 0 ? "on" : "off";
      return `SET_CONTROL_LINE_STATE DTR ${dtr} RTS ${rts}`;
    }
    case CdcRequest.sendBreak:
      return `SEND_BREAK ${setup.wValue === 0xffff ? "on" : setup.wValue === 0 ? "off" : `${setup.wValue} ms`}`;
    default:
      return null;
  }
}
