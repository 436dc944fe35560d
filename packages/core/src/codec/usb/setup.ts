// SETUP packets and the standard requests. USB 2.0 §9.3 and §9.4.

import { getU16le, putU16le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { hex } from "../../base/text.ts";

/** Table 9-4, and SET_SEL and SET_ISOCH_DELAY of USB 3.2. */
export const StandardRequest = {
  getStatus: 0,
  clearFeature: 1,
  setFeature: 3,
  setAddress: 5,
  getDescriptor: 6,
  setDescriptor: 7,
  getConfiguration: 8,
  setConfiguration: 9,
  getInterface: 10,
  setInterface: 11,
  synchFrame: 12,
} as const;

/** Feature selectors: table 9-6. */
export const Feature = { endpointHalt: 0, remoteWakeup: 1, testMode: 2 } as const;

/** bmRequestType, bits 6..5 and 4..0. */
export const RequestType = { standard: 0x00, class: 0x20, vendor: 0x40, mask: 0x60 } as const;
export const Recipient = { device: 0, interface: 1, endpoint: 2, other: 3, mask: 0x1f } as const;
export const directionIn = 0x80;

export interface Setup {
  bmRequestType: number;
  bRequest: number;
  wValue: number;
  wIndex: number;
  wLength: number;
}

export const setupBytes = 8;

export function newSetup(): Setup {
  return { bmRequestType: 0, bRequest: 0, wValue: 0, wIndex: 0, wLength: 0 };
}

/** Fills `into` from 8 bytes. Throws DecodeError when there are fewer. */
export function decodeSetup(bytes: Uint8Array, into: Setup = newSetup()): Setup {
  if (bytes.length < setupBytes) {
    throw new DecodeError("SETUP packet", bytes.length, `needs 8 bytes, ${bytes.length} came`);
  }
  into.bmRequestType = bytes[0];
  into.bRequest = bytes[1];
  into.wValue = getU16le(bytes, 2);
  into.wIndex = getU16le(bytes, 4);
  into.wLength = getU16le(bytes, 6);
  return into;
}

export function encodeSetup(setup: Setup, into: Uint8Array = new Uint8Array(setupBytes)): Uint8Array {
  into[0] = setup.bmRequestType;
  into[1] = setup.bRequest;
  putU16le(into, 2, setup.wValue);
  putU16le(into, 4, setup.wIndex);
  putU16le(into, 6, setup.wLength);
  return into;
}

export function isIn(setup: Setup): boolean {
  return (setup.bmRequestType & directionIn) !== 0;
}

const standardNames: Readonly<Record<number, string>> = {
  0: "GET_STATUS",
  1: "CLEAR_FEATURE",
  3: "SET_FEATURE",
  5: "SET_ADDRESS",
  6: "GET_DESCRIPTOR",
  7: "SET_DESCRIPTOR",
  8: "GET_CONFIGURATION",
  9: "SET_CONFIGURATION",
  10: "GET_INTERFACE",
  11: "SET_INTERFACE",
  12: "SYNCH_FRAME",
};
const descriptorNames: Readonly<Record<number, string>> = {
  1: "device",
  2: "configuration",
  3: "string",
  6: "qualifier",
  7: "other speed",
  15: "BOS",
  34: "HID report",
};
const typeNames = ["standard", "class", "vendor", "reserved"];
const recipientNames = ["device", "interface", "endpoint", "other"];

/** Names a class or vendor request, or null when it does not know it. */
export type DescribeRequest = (setup: Setup) => string | null;

/** One short phrase: "GET_DESCRIPTOR configuration 0", "SET_LINE_CODING", or the fields of an unknown request. */
export function describeSetup(setup: Setup, others: readonly DescribeRequest[] = []): string {
  const type = (setup.bmRequestType & RequestType.mask) >> 5;
  if (type === 0) {
    const name = standardNames[setup.bRequest];
    if (name !== undefined) return `${name}${standardDetail(setup)}`;
  }
  for (const describe of others) {
    const name = describe(setup);
    if (name !== null) return name;
  }
  const recipient = recipientNames[setup.bmRequestType & Recipient.mask] ?? "reserved";
  const direction = isIn(setup) ? "in" : "out";
  return `${typeNames[type]} ${direction} to ${recipient}: request 0x${hex(setup.bRequest, 2)} value 0x${hex(setup.wValue, 4)} index 0x${hex(setup.wIndex, 4)} length ${setup.wLength}`;
}

function standardDetail(setup: Setup): string {
  switch (setup.bRequest) {
    case StandardRequest.getDescriptor: {
      const type = setup.wValue >> 8;
      return ` ${descriptorNames[type] ?? `type 0x${hex(type, 2)}`} ${setup.wValue & 0xff}`;
    }
    case StandardRequest.setConfiguration:
      return ` ${setup.wValue}`;
    case StandardRequest.setInterface:
      return ` ${setup.wIndex} alternate ${setup.wValue}`;
    case StandardRequest.clearFeature:
    case StandardRequest.setFeature: {
      const recipient = setup.bmRequestType & Recipient.mask;
      if (recipient === Recipient.endpoint && setup.wValue === Feature.endpointHalt) {
        return ` ENDPOINT_HALT endpoint 0x${hex(setup.wIndex & 0xff, 2)}`;
      }
      return ` ${setup.wValue} index ${setup.wIndex}`;
    }
    default:
      return "";
  }
}
