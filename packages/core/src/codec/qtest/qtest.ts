// QEMU's qtest protocol as text: requests that QEMU will not choke on, and what its lines mean (QEMU 7.2).

import { DecodeError } from "../../base/errors.ts";

/** Access sizes and their letters. */
const letters: Readonly<Record<number, string>> = { 1: "b", 2: "w", 4: "l", 8: "q" };

/**
 * Numbers must be non-negative hexadecimal: QEMU ends by an assertion on anything else, a negative number among it. Bit
 * operators make those from bit 31 on.
 */
function number(value: number, what: string): string {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`qtest: ${what} must be an integer from 0 below 2^53, not ${value}`);
  return `0x${value.toString(16)}`;
}

function letter(sizeBytes: number): string {
  const found = letters[sizeBytes];
  if (found === undefined) throw new RangeError(`qtest: accesses have 1, 2, 4 or 8 bytes, not ${sizeBytes}`);
  return found;
}

export function readRequest(address: number, sizeBytes: number): string {
  return `read${letter(sizeBytes)} ${number(address, "an address")}`;
}

/** A value of 8 bytes is given in two halves. */
export function writeRequest(address: number, sizeBytes: number, low: number, high = 0): string {
  const value =
    sizeBytes === 8
      ? `0x${(high >>> 0).toString(16)}${(low >>> 0).toString(16).padStart(8, "0")}`
      : number(low >>> 0, "a value");
  return `write${letter(sizeBytes)} ${number(address, "an address")} ${value}`;
}

export function portWriteRequest(port: number, sizeBytes: 1 | 2 | 4, value: number): string {
  return `out${letter(sizeBytes)} ${number(port, "a port")} ${number(value >>> 0, "a value")}`;
}

export function portReadRequest(port: number, sizeBytes: 1 | 2 | 4): string {
  return `in${letter(sizeBytes)} ${number(port, "a port")}`;
}

/** Moves QEMU's virtual clock, nanoseconds. */
export function clockStepRequest(ns: number): string {
  return `clock_step ${number(ns, "a step")}`;
}

export function interceptRequest(path: string): string {
  if (!/^[\w/.-]+$/.test(path)) throw new RangeError(`qtest: "${path}" is no object path`);
  return `irq_intercept_in ${path}`;
}

/** A line from QEMU. */
export type QtestLine =
  /** An answer, in the order of the requests. Of a read: 64 bits in two halves. */
  | { readonly kind: "ok"; readonly low: number; readonly high: number; readonly text: string }
  | { readonly kind: "fail"; readonly text: string }
  /** An interrupt line of the intercepted controller changed. Comes at any time. */
  | { readonly kind: "irq"; readonly line: number; readonly isRaised: boolean };

/** DecodeError for a line that QEMU never sends. */
export function decodeQtestLine(line: string): QtestLine {
  if (line === "OK") return { kind: "ok", low: 0, high: 0, text: "" };
  if (line.startsWith("OK ")) {
    const text = line.slice(3);
    const value = /^0x([0-9a-f]{1,16})$/i.exec(text);
    if (value !== null) {
      const digits = value[1].padStart(16, "0");
      return {
        kind: "ok",
        low: Number.parseInt(digits.slice(8), 16),
        high: Number.parseInt(digits.slice(0, 8), 16),
        text,
      };
    }
    const clock = /^\d{1,15}$/.test(text) ? Number(text) : 0;
    return { kind: "ok", low: clock % 4294967296, high: Math.floor(clock / 4294967296), text };
  }
  if (line === "FAIL" || line.startsWith("FAIL ")) return { kind: "fail", text: line.slice(5) };
  const irq = /^IRQ (raise|lower) (\d{1,5})$/.exec(line);
  if (irq !== null) return { kind: "irq", line: Number(irq[2]), isRaised: irq[1] === "raise" };
  throw new DecodeError("qtest", 0, `an unknown line of ${line.length} characters`);
}
