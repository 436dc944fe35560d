// LOG SENSE pages: parameters of a disk's counters. SPC-4 r37 §6.9 and §7.3.

import { getU16be, putU16be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

export const LogPage = {
  supportedPages: 0x00,
  writeErrors: 0x02,
  readErrors: 0x03,
  verifyErrors: 0x05,
  temperature: 0x0d,
  startStopCycles: 0x0e,
  selfTestResults: 0x10,
  informationalExceptions: 0x2f,
} as const;

export interface LogParameter {
  readonly code: number;
  /** DU, TSD, format and linking bits. 03h: a binary list that has no thresholds. */
  readonly control: number;
  readonly value: Uint8Array;
}

/** `subpage` 0 leaves SPF clear. Parameters must ascend by code (SPC-4 §7.3.2.1). */
export function encodeLogPage(page: number, parameters: readonly LogParameter[]): Uint8Array {
  let length = 0;
  for (const { value } of parameters) length += 4 + value.length;
  const bytes = new Uint8Array(4 + length);
  bytes[0] = page;
  putU16be(bytes, 2, length);
  let at = 4;
  for (const { code, control, value } of parameters) {
    putU16be(bytes, at, code);
    bytes[at + 2] = control;
    bytes[at + 3] = value.length;
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
}

/** Page 00h: the codes themselves, one byte each. */
export function encodeSupportedLogPages(pages: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + pages.length);
  putU16be(bytes, 2, pages.length);
  bytes.set(pages, 4);
  return bytes;
}

export function decodeLogPage(bytes: Uint8Array): {
  page: number;
  subpage: number;
  parameters: LogParameter[];
} {
  if (bytes.length < 4) throw new DecodeError("log page", bytes.length, "needs a header of 4 bytes");
  const end = Math.min(bytes.length, 4 + getU16be(bytes, 2));
  const page = bytes[0] & 0x3f;
  const parameters: LogParameter[] = [];
  for (let at = 4; at < end && page !== LogPage.supportedPages; ) {
    if (at + 4 > end || at + 4 + bytes[at + 3] > end)
      throw new DecodeError("log page", at, "a parameter is cut off");
    const length = bytes[at + 3];
    parameters.push({
      code: getU16be(bytes, at),
      control: bytes[at + 2],
      value: bytes.slice(at + 4, at + 4 + length),
    });
    at += 4 + length;
  }
  return { page, subpage: (bytes[0] & 0x40) !== 0 ? bytes[1] : 0, parameters };
}
