// What a broken xHCI controller does, by the number of the event it makes: for hosts that must bear it.

import { addressOf, highHalf, lowHalf, type Trb, trbBytes } from "../../codec/xhci/trb.ts";

/**
 * `lost`: never written. `lost-interrupt`: written, nobody told. `twice`. `wrong-pointer`: a TRB further. `stray-pointer`: where no
 * ring is. `wrong-slot`, `wrong-endpoint`. `residual`: more bytes left than were asked for. `unknown-type`. `bad-code`: a code
 * without a meaning. `error-code`: TRB error. `wrong-port`: of a port that is none. `host-error`: an event of the
 * controller about itself. `stops`: it halts by itself. `noise`: every dword but the cycle bit is something else.
 */
export const xhciMischiefKinds = [
  "lost",
  "lost-interrupt",
  "twice",
  "wrong-pointer",
  "stray-pointer",
  "wrong-slot",
  "wrong-endpoint",
  "residual",
  "unknown-type",
  "bad-code",
  "error-code",
  "wrong-port",
  "host-error",
  "stops",
  "noise",
] as const;
export type XhciMischiefKind = (typeof xhciMischiefKinds)[number];

export interface XhciMischief {
  readonly kind: XhciMischiefKind;
  /** The first event it befalls, counted from 1 since power-on. */
  readonly atEvent: number;
  /** How many in a row; default 1. */
  readonly count?: number;
}

/** The plan's word about one event; null: nothing happens. */
export function mischiefAt(plan: readonly XhciMischief[], event: number): XhciMischiefKind | null {
  for (const { kind, atEvent, count = 1 } of plan)
    if (event >= atEvent && event < atEvent + count) return kind;
  return null;
}

/** Changes an event as the mischief wants. `noise` answers 32 bits of any kind. */
export function spoil(kind: XhciMischiefKind, trb: Trb, noise: () => number): void {
  const control = (type: number): number => ((trb.control & ~0xfc00) | (type << 10)) >>> 0;
  switch (kind) {
    case "wrong-pointer": {
      const address = addressOf(trb.low, trb.high) + trbBytes;
      trb.low = lowHalf(address);
      trb.high = highHalf(address);
      return;
    }
    case "stray-pointer":
      trb.low = 0xdead_bee0;
      trb.high = 0xffff_ffff;
      return;
    case "wrong-slot":
      trb.control = ((trb.control & 0xff_ffff) | 0xee00_0000) >>> 0;
      return;
    case "wrong-endpoint":
      trb.control = ((trb.control & ~0x1f_0000) | ((((trb.control >>> 16) + 7) & 0x1f) << 16)) >>> 0;
      return;
    case "residual":
      trb.status = ((trb.status & 0xff00_0000) | 0xff_fff0) >>> 0;
      return;
    case "unknown-type":
      trb.control = control(0x2e);
      return;
    case "bad-code":
      trb.status = ((trb.status & 0xff_ffff) | 0xc300_0000) >>> 0;
      return;
    case "error-code":
      trb.status = ((trb.status & 0xff_ffff) | (5 << 24)) >>> 0;
      return;
    case "wrong-port":
      trb.low = 0xf900_0000;
      trb.control = control(34);
      return;
    case "host-error":
      trb.status = (21 << 24) >>> 0;
      trb.control = control(37);
      return;
    case "noise":
      trb.low = noise();
      trb.high = noise();
      trb.status = noise();
      trb.control = (noise() & ~1) >>> 0;
      return;
    default:
      return;
  }
}
