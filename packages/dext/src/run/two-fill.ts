// Bytes that a driver sends and never wrote: two runs whose fresh memory differs, and what differs on the wire.

import type { SentBytes } from "../host/cxx-process.ts";

/** What fresh memory holds in the two runs: DextOptions' `fill`. */
export const twoFills = [0x00, 0xa5] as const;

export interface UnwrittenBytes {
  /** "DeviceRequest". */
  readonly call: string;
  /** Position of the call among those that send, from 0. */
  readonly index: number;
  readonly length: number;
  /** Positions in the transfer, from 0. */
  readonly positions: readonly number[];
  /** Innermost first. */
  readonly where: readonly string[];
}

/**
 * `zeros` and `others` are `ledger.sent` of two runs with the same seed and the fills of `twoFills`. A byte that is the fill in
 * each was written by nobody. Ends where the runs part, as what follows may differ for any reason.
 */
export function unwrittenBytes(zeros: readonly SentBytes[], others: readonly SentBytes[]): UnwrittenBytes[] {
  const found: UnwrittenBytes[] = [];
  for (const [index, { call, bytes, where }] of zeros.entries()) {
    const other = others[index];
    if (other === undefined || other.call !== call || other.bytes.length !== bytes.length) break;
    const positions = [...bytes.keys()].filter(
      (at) => bytes[at] === twoFills[0] && other.bytes[at] === twoFills[1],
    );
    if (positions.length > 0) found.push({ call, index, length: bytes.length, positions, where });
  }
  return found;
}

/** "DeviceRequest sent 7 bytes, and the driver wrote none of them, in P02Driver::SetLineCoding (SetLineCoding.cpp:42)". */
export function unwrittenText({ call, length, positions, where }: UnwrittenBytes): string {
  const place = where.length === 0 ? "" : `, in ${where[0]}`;
  if (positions.length === length)
    return `${call} sent ${length} bytes, and the driver wrote none of them${place}`;
  const shown = positions.slice(0, 16).join(", ");
  const more = positions.length > 16 ? " ..." : "";
  return `${call} sent ${length} bytes, and the driver never wrote those at ${shown}${more}${place}`;
}
