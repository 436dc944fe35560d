// CDC ECM: the Ethernet networking function of USB CDC, whose parts NCM shares. Subclass 1.2 for ECM devices.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { hex } from "../../base/text.ts";
import {
  classSpecificInterface,
  encodeHeaderAndUnion,
  FunctionalSubtype,
  findFunctional,
} from "../cdc/functional.ts";
import { parseMac } from "../ethernet/ethernet.ts";
import type { RawDescriptor } from "../usb/descriptors.ts";
import { RequestType, type Setup } from "../usb/setup.ts";

export const cdcEcmSubClass = 0x06;

/** §6.2 table 6. */
export const EcmRequest = {
  setMulticastFilters: 0x40,
  setPowerPattern: 0x41,
  getPowerPattern: 0x42,
  setPacketFilter: 0x43,
  getStatistic: 0x44,
} as const;

/** wValue of SET_ETHERNET_PACKET_FILTER: §6.2.4 table 8. */
export const PacketFilter = {
  promiscuous: 0x01,
  allMulticast: 0x02,
  directed: 0x04,
  broadcast: 0x08,
  multicast: 0x10,
} as const;
export const packetFilterMask = 0x1f;

/** §6.3 and CDC 1.2 table 20. */
export const EthernetNotification = {
  networkConnection: 0x00,
  responseAvailable: 0x01,
  connectionSpeedChange: 0x2a,
} as const;

/** Ethernet Networking Functional Descriptor: §5.4 table 3. */
export interface EthernetFunction {
  readonly iMACAddress: number;
  readonly bmEthernetStatistics: number;
  readonly wMaxSegmentSize: number;
  /** Bits 14:0; 0: no filtering by address. */
  readonly multicastFilters: number;
  /** Bit 15: hashes, more may pass than was asked for. */
  readonly isImperfect: boolean;
  readonly bNumberPowerFilters: number;
}

const functionBytes = 13;

export function encodeEthernetFunction(is: EthernetFunction): Uint8Array {
  const bytes = new Uint8Array(functionBytes);
  bytes.set([functionBytes, classSpecificInterface, FunctionalSubtype.ethernet, is.iMACAddress]);
  putU32le(bytes, 4, is.bmEthernetStatistics);
  putU16le(bytes, 8, is.wMaxSegmentSize);
  putU16le(bytes, 10, is.multicastFilters | (is.isImperfect ? 0x8000 : 0));
  bytes[12] = is.bNumberPowerFilters;
  return bytes;
}

/** Null when there is none, or it is cut. */
export function viewEthernetFunction(extra: readonly RawDescriptor[]): EthernetFunction | null {
  const bytes = findFunctional(extra, FunctionalSubtype.ethernet, functionBytes);
  if (bytes === null) return null;
  return {
    iMACAddress: bytes[3],
    bmEthernetStatistics: getU32le(bytes, 4),
    wMaxSegmentSize: getU16le(bytes, 8),
    multicastFilters: getU16le(bytes, 10) & 0x7fff,
    isImperfect: (bytes[11] & 0x80) !== 0,
    bNumberPowerFilters: bytes[12],
  };
}

/** The functional descriptors of an ECM control interface, in the order of §5.4's example. */
export function encodeEcmFunction(
  controlInterface: number,
  dataInterface: number,
  ethernet: EthernetFunction,
): Uint8Array[] {
  return [...encodeHeaderAndUnion(0x0110, controlInterface, dataInterface), encodeEthernetFunction(ethernet)];
}

/** The address as the device's string has it: twelve digits in capitals (§5.4). */
export function macString(address: Uint8Array): string {
  return [...address].map((octet) => hex(octet, 2).toUpperCase()).join("");
}

/** DecodeError when the string is no address. */
export function parseMacString(text: string): Uint8Array {
  const address = /^[0-9a-f]{12}$/i.test(text) ? parseMac(text) : null;
  if (address === null)
    throw new DecodeError("iMACAddress", 0, `"${text.slice(0, 40)}" is not twelve hexadecimal digits`);
  return address;
}

/** CONNECTION_SPEED_CHANGE's data: downlink and uplink, bits per second (CDC 1.2 §6.3.3 in its ECM form). */
export function encodeSpeedChange(downlink: number, uplink: number): Uint8Array {
  const data = new Uint8Array(8);
  putU32le(data, 0, downlink);
  putU32le(data, 4, uplink);
  return data;
}

/** Bits per second towards the host and back; null when it is cut. `bytes` begins with the notification's header. */
export function viewSpeedChange(bytes: Uint8Array): { downlink: number; uplink: number } | null {
  return bytes.length < 16 ? null : { downlink: getU32le(bytes, 8), uplink: getU32le(bytes, 12) };
}

const filterNames: readonly (readonly [number, string])[] = [
  [PacketFilter.promiscuous, "promiscuous"],
  [PacketFilter.allMulticast, "all multicast"],
  [PacketFilter.directed, "directed"],
  [PacketFilter.broadcast, "broadcast"],
  [PacketFilter.multicast, "multicast"],
];

/** Names a request of the Ethernet functions for traces; null for anything else. */
export function describeEcmRequest(setup: Setup): string | null {
  if ((setup.bmRequestType & RequestType.mask) !== RequestType.class) return null;
  switch (setup.bRequest) {
    case EcmRequest.setMulticastFilters:
      return `SET_ETHERNET_MULTICAST_FILTERS ${setup.wValue}`;
    case EcmRequest.setPacketFilter: {
      const on = filterNames.filter(([bit]) => (setup.wValue & bit) !== 0).map(([, name]) => name);
      return `SET_ETHERNET_PACKET_FILTER ${on.length === 0 ? "none" : on.join(", ")}`;
    }
    case EcmRequest.getStatistic:
      return `GET_ETHERNET_STATISTIC ${setup.wValue}`;
    default:
      return null;
  }
}
