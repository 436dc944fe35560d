// Functional descriptors that every CDC function has, and notifications put together. USB CDC 1.2 §5.2.3, §6.3.

import { getU16le, putU16le } from "../../base/bytes.ts";
import type { RawDescriptor } from "../usb/descriptors.ts";

/** CDC 1.2 table 13, and NCM 1.0 table 5-1. */
export const FunctionalSubtype = { header: 0x00, union: 0x06, ethernet: 0x0f, ncm: 0x1a } as const;
export const classSpecificInterface = 0x24;

/** The content of the first functional descriptor of that subtype that is long enough; null when there is none. */
export function findFunctional(
  extra: readonly RawDescriptor[],
  subtype: number,
  least: number,
): Uint8Array | null {
  return (
    extra.find(
      ({ type, bytes }) =>
        type === classSpecificInterface && bytes[2] === subtype && bytes.length >= least && bytes[0] >= least,
    )?.bytes ?? null
  );
}

/** Interfaces that a union names behind its master. */
export function unionSubordinates(extra: readonly RawDescriptor[]): readonly number[] {
  return [...(findFunctional(extra, FunctionalSubtype.union, 5)?.subarray(4) ?? [])];
}

export function encodeHeaderAndUnion(
  bcdCdc: number,
  controlInterface: number,
  dataInterface: number,
): Uint8Array[] {
  return [
    Uint8Array.of(5, classSpecificInterface, FunctionalSubtype.header, bcdCdc & 0xff, bcdCdc >> 8),
    Uint8Array.of(5, classSpecificInterface, FunctionalSubtype.union, controlInterface, dataInterface),
  ];
}

const headerBytes = 8;
/** Longer ones do not exist in CDC: what claims to be longer is none. */
const longestNotification = 64;

/** A notification: 8 bytes of header, and its data (CDC 1.2 §6.3). */
export function encodeNotification(
  code: number,
  wValue: number,
  controlInterface: number,
  data: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(headerBytes + data.length);
  bytes[0] = 0xa1;
  bytes[1] = code;
  putU16le(bytes, 2, wValue);
  putU16le(bytes, 4, controlInterface);
  putU16le(bytes, 6, data.length);
  bytes.set(data, headerBytes);
  return bytes;
}

/** Told of whole notifications. `bytes` begins with the header and is valid during the call. */
export type NotificationTaker = (code: number, wValue: number, bytes: Uint8Array) => void;

/**
 * Puts notifications together from the interrupt packets they may be split over. Bytes that begin no notification are
 * skipped until one does.
 */
export class NotificationAssembler {
  readonly #held = new Uint8Array(longestNotification * 2);
  #length = 0;

  reset(): void {
    this.#length = 0;
  }

  push(packet: Uint8Array, length: number, take: NotificationTaker): void {
    for (let index = 0; index < length; index++) {
      this.#held[this.#length++] = packet[index];
      this.#settle(take);
    }
  }

  #settle(take: NotificationTaker): void {
    const held = this.#held;
    while (this.#length > 0) {
      if (held[0] !== 0xa1) {
        this.#drop(1);
        continue;
      }
      if (this.#length < headerBytes) return;
      const total = headerBytes + getU16le(held, 6);
      if (total > longestNotification) {
        this.#drop(1);
        continue;
      }
      if (this.#length < total) return;
      take(held[1], getU16le(held, 2), held.subarray(0, total));
      this.#drop(total);
    }
  }

  #drop(count: number): void {
    this.#held.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}
