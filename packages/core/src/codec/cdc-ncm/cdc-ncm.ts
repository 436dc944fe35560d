// CDC NCM: descriptor, requests and parameters. Subclass Specification for Network Control Model Devices, revision 1.0.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import {
  classSpecificInterface,
  encodeHeaderAndUnion,
  FunctionalSubtype,
  findFunctional,
} from "../cdc/functional.ts";
import { type EthernetFunction, encodeEthernetFunction } from "../cdc-ecm/cdc-ecm.ts";
import type { RawDescriptor } from "../usb/descriptors.ts";
import { RequestType, type Setup } from "../usb/setup.ts";

export const cdcNcmSubClass = 0x0d;
/** bInterfaceProtocol of the data interface: §4.3 table 4-3. */
export const ncmDataProtocol = 0x01;

/** §6.2 table 6-2. */
export const NcmRequest = {
  getNtbParameters: 0x80,
  getNetAddress: 0x81,
  setNetAddress: 0x82,
  getNtbFormat: 0x83,
  setNtbFormat: 0x84,
  getNtbInputSize: 0x85,
  setNtbInputSize: 0x86,
  getMaxDatagramSize: 0x87,
  setMaxDatagramSize: 0x88,
  getCrcMode: 0x89,
  setCrcMode: 0x8a,
} as const;

/** bmNetworkCapabilities: §5.2.1 table 5-2. */
export const NcmCapability = {
  packetFilter: 0x01,
  netAddress: 0x02,
  encapsulated: 0x04,
  maxDatagramSize: 0x08,
  crcMode: 0x10,
  inputSize8: 0x20,
} as const;

/** bmNtbFormatsSupported, and the values of SET_NTB_FORMAT. */
export const NtbFormat = { ntb16: 0x01, ntb32: 0x02 } as const;
export type NtbBits = 16 | 32;

const ncmFunctionBytes = 6;

/** The functional descriptors of an NCM control interface (§5.2). */
export function encodeNcmFunction(
  controlInterface: number,
  dataInterface: number,
  ethernet: EthernetFunction,
  capabilities: number,
): Uint8Array[] {
  return [
    ...encodeHeaderAndUnion(0x0110, controlInterface, dataInterface),
    encodeEthernetFunction(ethernet),
    Uint8Array.of(ncmFunctionBytes, classSpecificInterface, FunctionalSubtype.ncm, 0x00, 0x01, capabilities),
  ];
}

/** bmNetworkCapabilities; null when there is no NCM descriptor, or it is cut. */
export function viewNcmCapabilities(extra: readonly RawDescriptor[]): number | null {
  return findFunctional(extra, FunctionalSubtype.ncm, ncmFunctionBytes)?.[5] ?? null;
}

/** NTB Parameter Structure: §6.2.1 table 6-3. Sizes in bytes. */
export interface NtbParameters {
  readonly formats: number;
  readonly inMaxSize: number;
  readonly inDivisor: number;
  readonly inRemainder: number;
  readonly inAlignment: number;
  readonly outMaxSize: number;
  readonly outDivisor: number;
  readonly outRemainder: number;
  readonly outAlignment: number;
  /** 0: no limit. */
  readonly outMaxDatagrams: number;
}

export const ntbParametersBytes = 28;
/** §6.2.1: both maximums must be at least this. */
export const smallestNtb = 2048;

export function encodeNtbParameters(is: NtbParameters): Uint8Array {
  const bytes = new Uint8Array(ntbParametersBytes);
  putU16le(bytes, 0, ntbParametersBytes);
  putU16le(bytes, 2, is.formats);
  putU32le(bytes, 4, is.inMaxSize);
  putU16le(bytes, 8, is.inDivisor);
  putU16le(bytes, 10, is.inRemainder);
  putU16le(bytes, 12, is.inAlignment);
  putU32le(bytes, 16, is.outMaxSize);
  putU16le(bytes, 20, is.outDivisor);
  putU16le(bytes, 22, is.outRemainder);
  putU16le(bytes, 24, is.outAlignment);
  putU16le(bytes, 26, is.outMaxDatagrams);
  return bytes;
}

/** DecodeError for a structure that is cut, or that no host can obey: no format, sizes or alignments outside §6.2.1. */
export function decodeNtbParameters(bytes: Uint8Array): NtbParameters {
  const subject = "NTB parameters";
  if (bytes.length < ntbParametersBytes)
    throw new DecodeError(subject, bytes.length, `needs ${ntbParametersBytes} bytes`);
  const wLength = getU16le(bytes, 0);
  if (wLength < ntbParametersBytes) throw new DecodeError(subject, 0, `wLength is ${wLength}`);
  const is: NtbParameters = {
    formats: getU16le(bytes, 2),
    inMaxSize: getU32le(bytes, 4),
    inDivisor: getU16le(bytes, 8),
    inRemainder: getU16le(bytes, 10),
    inAlignment: getU16le(bytes, 12),
    outMaxSize: getU32le(bytes, 16),
    outDivisor: getU16le(bytes, 20),
    outRemainder: getU16le(bytes, 22),
    outAlignment: getU16le(bytes, 24),
    outMaxDatagrams: getU16le(bytes, 26),
  };
  if ((is.formats & NtbFormat.ntb16) === 0)
    throw new DecodeError(subject, 2, "NTB-16, which every device must have, is not among the formats");
  if (is.inMaxSize < smallestNtb) throw new DecodeError(subject, 4, `dwNtbInMaxSize is ${is.inMaxSize}`);
  if (is.outMaxSize < smallestNtb) throw new DecodeError(subject, 16, `dwNtbOutMaxSize is ${is.outMaxSize}`);
  return is;
}

/** Alignments as they can be used: a power of two from 4 up, a divisor from 1 up, a remainder below it (what Linux falls back to). */
export function lawfulAlignment(
  divisor: number,
  remainder: number,
  alignment: number,
  maximum: number,
): { readonly divisor: number; readonly remainder: number; readonly alignment: number } {
  const isPower = alignment >= 4 && alignment <= maximum / 4 && (alignment & (alignment - 1)) === 0;
  const goodDivisor = divisor >= 1 && divisor <= maximum / 4 ? divisor : 4;
  return {
    alignment: isPower ? alignment : 4,
    divisor: goodDivisor,
    remainder: remainder < goodDivisor ? remainder : 0,
  };
}

const names: Readonly<Record<number, string>> = {
  128: "GET_NTB_PARAMETERS",
  129: "GET_NET_ADDRESS",
  130: "SET_NET_ADDRESS",
  131: "GET_NTB_FORMAT",
  132: "SET_NTB_FORMAT",
  133: "GET_NTB_INPUT_SIZE",
  134: "SET_NTB_INPUT_SIZE",
  135: "GET_MAX_DATAGRAM_SIZE",
  136: "SET_MAX_DATAGRAM_SIZE",
  137: "GET_CRC_MODE",
  138: "SET_CRC_MODE",
};

/** Names an NCM request for traces; null for anything else. */
export function describeNcmRequest(setup: Setup): string | null {
  if ((setup.bmRequestType & RequestType.mask) !== RequestType.class) return null;
  const name = names[setup.bRequest];
  if (name === undefined) return null;
  return (setup.bmRequestType & 0x80) === 0 && setup.wLength === 0 ? `${name} ${setup.wValue}` : name;
}
