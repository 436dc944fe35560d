// Bytes that hold descriptors one after the other, as Linux's sysfs has them: which is which, by how each begins.

import { DescriptorType } from "@drydock/core/codec/usb/descriptors";
import type { GivenDescriptor } from "./descriptor-set.ts";

const deviceBytes = 18;

/** Nothing, where the bytes begin with no device, configuration or report descriptor. */
export function splitDescriptors(
  bytes: Uint8Array,
  lineOf: (offset: number) => number | null = () => null,
): GivenDescriptor[] {
  const found: GivenDescriptor[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const rest = bytes.subarray(at);
    const from = at;
    const here = (offset: number): number | null => lineOf(from + offset);
    if (
      rest[1] === DescriptorType.device &&
      (rest[0] === deviceBytes || (rest[0] > 8 && rest[0] < 32 && at === 0))
    ) {
      const length = Math.min(deviceBytes, rest.length);
      found.push({ role: "device", bytes: rest.slice(0, length), lineOf: here });
      at += length;
    } else if (isConfiguration(rest)) {
      const next = nextConfiguration(rest);
      found.push({ role: "configuration", bytes: rest.slice(0, next), lineOf: here });
      at += next;
    } else {
      if (at === 0 && isReport(rest)) found.push({ role: "report", bytes: rest.slice(), lineOf: here });
      break;
    }
  }
  return found;
}

/** What may follow a configuration's header: another standard descriptor, or one of a class. */
const followers: readonly number[] = [1, 2, 4, 5, 11, 0x21, 0x24, 0x25, 0x30];

function isConfiguration(bytes: Uint8Array): boolean {
  if (bytes[1] !== DescriptorType.configuration || bytes[0] !== 9 || bytes.length < 9) return false;
  return bytes.length < 11 || followers.includes(bytes[10]);
}

/** Where a following configuration begins; the promise of wTotalLength counts where one stands there, else all is one. */
function nextConfiguration(bytes: Uint8Array): number {
  const total = bytes[2] | (bytes[3] << 8);
  if (
    total >= 9 &&
    total < bytes.length &&
    bytes[total] === 9 &&
    bytes[total + 1] === DescriptorType.configuration
  )
    return total;
  return bytes.length;
}

/** It begins with a usage page and a usage, or the other way round, and opens a collection soon (HID 1.11 §6.2.2). */
function isReport(bytes: Uint8Array): boolean {
  const head = [...bytes.subarray(0, 24)];
  const begins =
    bytes[0] === 0x05 || (bytes[0] === 0x06 && bytes.length > 3) || (bytes[0] === 0x09 && bytes[2] === 0x05);
  return begins && head.includes(0xa1);
}
