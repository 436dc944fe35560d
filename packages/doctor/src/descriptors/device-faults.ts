// Faults of a device descriptor. USB 2.0 §9.6.1; USB 3.2 §9.6.1; the ECN of interface associations.

import { getU16le } from "@drydock/core/base/bytes";
import { DescriptorType } from "@drydock/core/codec/usb/descriptors";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { type DescriptorFault, type FaultKind, hex8 } from "./fault.ts";

const deviceBytes = 18;
/** bcdUSB from which on a device that answers so is at SuperSpeed: at other speeds it says 0210h (USB 3.2 §9.6.1). */
export const superSpeedVersion = 0x0300;
/** bMaxPacketSize0 is the exponent there: 512 bytes. */
const superSpeedExponent = 9;

/** `hasAssociations`: of any configuration; null when none was looked at. */
export function judgeDevice(
  bytes: Uint8Array,
  speed: UsbSpeed | null,
  hasAssociations: boolean | null,
): DescriptorFault[] {
  const faults: DescriptorFault[] = [];
  const fault = (kind: FaultKind, offset: number, text: string): void =>
    void faults.push({ kind, offset, text });
  if (bytes[1] !== DescriptorType.device) {
    fault("device-type", 1, `bDescriptorType is ${bytes[1]}, a device descriptor's is 1`);
    return faults;
  }
  if (bytes[0] !== deviceBytes || bytes.length < deviceBytes) {
    const came = bytes.length < deviceBytes ? `, and ${bytes.length} bytes came` : "";
    fault("device-length", 0, `bLength is ${bytes[0]}, a device descriptor has 18 bytes${came}`);
    if (bytes.length < deviceBytes) return faults;
  }
  const version = getU16le(bytes, 2);
  for (const [name, at] of [
    ["bcdUSB", 2],
    ["bcdDevice", 12],
  ] as const) {
    const value = getU16le(bytes, at);
    if ([0, 4, 8, 12].some((shift) => ((value >> shift) & 0xf) > 9))
      fault(
        "bcd-digits",
        at,
        `${name} is 0x${value.toString(16).padStart(4, "0")}, and its digits are decimal ones`,
      );
  }
  const isSuper = speed === null ? version >= superSpeedVersion : speed >= UsbSpeed.super;
  const size = bytes[7];
  if (isSuper && size !== superSpeedExponent)
    fault("control-packet-size", 7, `bMaxPacketSize0 is ${size}; at SuperSpeed it is 9, the exponent of 512`);
  else if (!isSuper && speed === UsbSpeed.high && size !== 64)
    fault("control-packet-size", 7, `bMaxPacketSize0 is ${size}; at high speed it is 64`);
  else if (!isSuper && speed === UsbSpeed.low && size !== 8)
    fault("control-packet-size", 7, `bMaxPacketSize0 is ${size}; at low speed it is 8`);
  else if (!isSuper && ![8, 16, 32, 64].includes(size))
    fault("control-packet-size", 7, `bMaxPacketSize0 is ${size}; only 8, 16, 32 and 64 exist`);
  if (bytes[17] === 0) fault("no-configuration", 17, "bNumConfigurations is 0: nothing can be chosen");
  const isAnnounced = bytes[4] === 0xef && bytes[5] === 2 && bytes[6] === 1;
  if (hasAssociations === true && !isAnnounced)
    fault(
      "association-not-announced",
      4,
      `class, subclass and protocol are ${hex8(bytes[4])} ${hex8(bytes[5])} ${hex8(bytes[6])}; a device with interface associations says EF 02 01`,
    );
  return faults;
}
