// The HID class on USB: class descriptor, class requests, boot reports.
// Device Class Definition for Human Interface Devices (HID), version 1.11, §6.2.1, §7.2, appendix B.

import { ByteReader, putU16le } from "../../base/bytes.ts";
import type { RawDescriptor } from "../usb/descriptors.ts";
import { Recipient, RequestType, type Setup } from "../usb/setup.ts";

export const hidClass = 0x03;
/** bInterfaceSubClass: §4.2. */
export const hidBootSubClass = 1;
/** bInterfaceProtocol of boot devices: §4.3. */
export const HidBootProtocol = { none: 0, keyboard: 1, mouse: 2 } as const;

/** §7.1. */
export const HidDescriptorType = { hid: 0x21, report: 0x22, physical: 0x23 } as const;

/** bRequest: §7.2. */
export const HidRequest = {
  getReport: 0x01,
  getIdle: 0x02,
  getProtocol: 0x03,
  setReport: 0x09,
  setIdle: 0x0a,
  setProtocol: 0x0b,
} as const;

/** High byte of wValue in GET_REPORT and SET_REPORT: §7.2.1. */
export const HidReportType = { input: 1, output: 2, feature: 3 } as const;

/** wValue of SET_PROTOCOL: §7.2.6. */
export const HidProtocol = { boot: 0, report: 1 } as const;

/** Idle durations count in 4 ms (§7.2.4). */
export const hidIdleUnitMs = 4;

export interface HidDescriptor {
  readonly bcdHID: number;
  readonly bCountryCode: number;
  /** The class descriptors that belong to it: a report descriptor, maybe physical ones. */
  readonly descriptors: readonly { readonly type: number; readonly length: number }[];
}

/** §6.2.1, table. */
export function encodeHidDescriptor(value: HidDescriptor): Uint8Array {
  const bytes = new Uint8Array(6 + value.descriptors.length * 3);
  bytes[0] = bytes.length;
  bytes[1] = HidDescriptorType.hid;
  putU16le(bytes, 2, value.bcdHID);
  bytes[4] = value.bCountryCode;
  bytes[5] = value.descriptors.length;
  value.descriptors.forEach(({ type, length }, index) => {
    bytes[6 + index * 3] = type;
    putU16le(bytes, 7 + index * 3, length);
  });
  return bytes;
}

/** Throws DecodeError. Bytes after the promised descriptors are ignored. */
export function parseHidDescriptor(bytes: Uint8Array): HidDescriptor {
  const reader = new ByteReader(bytes, "HID descriptor");
  const length = reader.u8("bLength");
  const type = reader.u8("bDescriptorType");
  if (type !== HidDescriptorType.hid)
    reader.fail(`bDescriptorType is ${type}, expected ${HidDescriptorType.hid}`, 1);
  if (length > bytes.length) reader.fail(`bLength is ${length} but only ${bytes.length} bytes came`, 0);
  const body = new ByteReader(bytes, "HID descriptor", 2, length);
  const bcdHID = body.u16le("bcdHID");
  const bCountryCode = body.u8("bCountryCode");
  const count = body.u8("bNumDescriptors");
  const descriptors: { type: number; length: number }[] = [];
  for (let index = 0; index < count; index++) {
    descriptors.push({ type: body.u8("bDescriptorType"), length: body.u16le("wDescriptorLength") });
  }
  return { bcdHID, bCountryCode, descriptors };
}

/** The HID descriptor among an interface's class-specific ones, null when there is none. Throws DecodeError. */
export function findHidDescriptor(extra: readonly RawDescriptor[]): HidDescriptor | null {
  const raw = extra.find(({ type }) => type === HidDescriptorType.hid);
  return raw === undefined ? null : parseHidDescriptor(raw.bytes);
}

/** Appendix B.1: modifiers, a reserved byte, six keys. */
export const bootKeyboardReportBytes = 8;
export const bootKeyboardKeys = 6;

const reportNames: Readonly<Record<number, string>> = {
  [HidReportType.input]: "input",
  [HidReportType.output]: "output",
  [HidReportType.feature]: "feature",
};

/** Names a HID class request for traces; null for anything else. */
export function describeHidRequest(setup: Setup): string | null {
  if ((setup.bmRequestType & RequestType.mask) !== RequestType.class) return null;
  if ((setup.bmRequestType & Recipient.mask) !== Recipient.interface) return null;
  const isIn = (setup.bmRequestType & 0x80) !== 0;
  const [high, low] = [setup.wValue >> 8, setup.wValue & 0xff];
  const place = `interface ${setup.wIndex}`;
  const report = `${reportNames[high] ?? `type ${high}`} ${low} ${place}`;
  const protocol =
    setup.wValue === HidProtocol.boot
      ? "boot"
      : setup.wValue === HidProtocol.report
        ? "report"
        : setup.wValue;
  const idle = high === 0 ? "only on change" : `every ${high * hidIdleUnitMs} ms`;
  switch (setup.bRequest) {
    case HidRequest.getReport:
      return isIn ? `GET_REPORT ${report}` : null;
    case HidRequest.getIdle:
      return isIn ? `GET_IDLE report ${low} ${place}` : null;
    case HidRequest.getProtocol:
      return isIn ? `GET_PROTOCOL ${place}` : null;
    case HidRequest.setReport:
      return isIn ? null : `SET_REPORT ${report}`;
    case HidRequest.setIdle:
      return isIn ? null : `SET_IDLE report ${low} ${idle} ${place}`;
    case HidRequest.setProtocol:
      return isIn ? null : `SET_PROTOCOL ${protocol} ${place}`;
    default:
      return null;
  }
}
