// Vendor commands of a bridge with a lock, as posts.md P08 tells of them: unlock, query, relink. Codes are our own.

import { DecodeError } from "../../base/errors.ts";

/** CDB byte 0; the rest is zero but for the length of UNLOCK (byte 13) and QUERY (byte 13). */
export const BridgeOpcode = { unlock: 0xc1, query: 0xc2, relink: 0xc3 } as const;

/** Where a CDB has the length of its data: on both transports the same (posts.md P09). */
export const bridgeLengthAt = 13;
export const unlockCodeBytes = 16;
export const bridgeStateBytes = 4;

/** What a bridge does with a relink. */
export const RelinkPhase = { none: 0, pending: 1, waitsForReset: 2, forgotten: 3 } as const;
export type RelinkPhase = (typeof RelinkPhase)[keyof typeof RelinkPhase];

/** Answer of QUERY. */
export interface BridgeState {
  /** The drive's security state. */
  readonly isLocked: boolean;
  /** What the host is shown: the unlocked drive appears after a relink only. */
  readonly isHidden: boolean;
  readonly phase: RelinkPhase;
}

export function encodeBridgeState(state: BridgeState): Uint8Array {
  return Uint8Array.of(state.isLocked ? 1 : 0, state.isHidden ? 1 : 0, state.phase, 0);
}

export function decodeBridgeState(bytes: Uint8Array): BridgeState {
  if (bytes.length < bridgeStateBytes)
    throw new DecodeError("bridge state", bytes.length, `${bridgeStateBytes} bytes are needed`);
  const phase = Object.values(RelinkPhase).find((value) => value === bytes[2]);
  if (phase === undefined) throw new DecodeError("bridge state", 2, `no phase has the number ${bytes[2]}`);
  return { isLocked: bytes[0] !== 0, isHidden: bytes[1] !== 0, phase };
}
