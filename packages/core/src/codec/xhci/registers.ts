// xHCI 1.2 §5: where registers lie, their bits, and what the capability registers say as a value.

import { DecodeError } from "../../base/errors.ts";

/** PCI class of an xHCI controller: serial bus, USB, interface 30h (§5.2.1). */
export const xhciClassCode = 0x0c0330;

/** Capability registers, §5.3. Some controllers answer dwords only: nothing smaller is read. */
export const XhciCapability = {
  lengthAndVersion: 0x00,
  structural1: 0x04,
  structural2: 0x08,
  capability1: 0x10,
  doorbellOffset: 0x14,
  runtimeOffset: 0x18,
} as const;

/** Operational registers, §5.4, from CAPLENGTH on. */
export const XhciOperational = {
  command: 0x00,
  status: 0x04,
  pageSize: 0x08,
  commandRingLow: 0x18,
  commandRingHigh: 0x1c,
  contextArrayLow: 0x30,
  contextArrayHigh: 0x34,
  configure: 0x38,
  ports: 0x400,
} as const;
export const xhciPortStride = 0x10;

/** USBCMD, §5.4.1. */
export const XhciCommand = { run: 0x1, reset: 0x2, interrupts: 0x4, hostErrors: 0x8 } as const;

/** USBSTS, §5.4.2. */
export const XhciStatus = {
  halted: 0x1,
  hostSystemError: 0x4,
  eventInterrupt: 0x8,
  portChange: 0x10,
  notReady: 0x800,
  controllerError: 0x1000,
} as const;

/** PORTSC, §5.4.8. Writing 1 to `enabled` disables; the change bits are cleared by writing 1. */
export const XhciPortStatus = {
  connected: 0x1,
  enabled: 0x2,
  reset: 0x10,
  linkShift: 5,
  linkMask: 0x1e0,
  power: 0x200,
  speedShift: 10,
  connectChange: 0x2_0000,
  enableChange: 0x4_0000,
  warmResetChange: 0x8_0000,
  overCurrentChange: 0x10_0000,
  resetChange: 0x20_0000,
  linkChange: 0x40_0000,
  configChange: 0x80_0000,
  changes: 0xfe_0000,
  /** What a write must give back as it was read: power, indicators, wake enables. */
  kept: 0x0e00_c200,
} as const;

/** Link states in PORTSC: U0, and RxDetect, where nobody is. */
export const XhciLinkState = { u0: 0, rxDetect: 5, polling: 7 } as const;

/** Port speed ids of a controller with the default table (§7.2.2.1.1). */
export const XhciSpeed = { full: 1, low: 2, high: 3, super: 4, superPlus: 5 } as const;

/** Runtime registers, §5.5: interrupter 0. */
export const XhciRuntime = {
  frameIndex: 0x00,
  management: 0x20,
  moderation: 0x24,
  segmentCount: 0x28,
  segmentTableLow: 0x30,
  segmentTableHigh: 0x34,
  dequeueLow: 0x38,
  dequeueHigh: 0x3c,
} as const;
/** IMAN: pending, enabled. ERDP: busy, cleared by writing 1. */
export const XhciInterrupter = { pending: 1, enabled: 2, busy: 8 } as const;

/** Extended capabilities, §7: by id. */
export const XhciExtendedId = { legacySupport: 1, supportedProtocol: 2 } as const;
/** USB Legacy Support, §7.1.1: who owns the controller. */
export const XhciLegacy = { firmwareOwns: 0x1_0000, systemOwns: 0x100_0000 } as const;

export interface XhciCapabilities {
  readonly operationalAt: number;
  readonly runtimeAt: number;
  readonly doorbellsAt: number;
  readonly version: number;
  readonly slots: number;
  readonly ports: number;
  readonly scratchpads: number;
  /** 32 or 64. */
  readonly contextBytes: number;
  /** Most streams of an endpoint as a linear array, stream 0 counted; 0 for none. */
  readonly streamArray: number;
  /** Of the first extended capability, in bytes from the start; 0 for none. */
  readonly extendedAt: number;
}

const subject = "xHCI capability registers";

/**
 * §5.3, from the dwords read at the offsets above. `rangeBytes` is what the BAR has: DecodeError, with the register's offset,
 * for a controller whose registers would lie outside of it, that has no slots or no ports, or that does not answer.
 */
export function decodeXhciCapabilities(
  words: {
    readonly lengthAndVersion: number;
    readonly structural1: number;
    readonly structural2: number;
    readonly capability1: number;
    readonly doorbellOffset: number;
    readonly runtimeOffset: number;
  },
  rangeBytes: number,
): XhciCapabilities {
  const { capability1, lengthAndVersion, structural1, structural2 } = words;
  const fail = (offset: number, problem: string): never => {
    throw new DecodeError(subject, offset, problem);
  };
  if (lengthAndVersion === 0xffff_ffff) fail(0, "all ones: nobody answers");
  const operationalAt = lengthAndVersion & 0xff;
  const slots = structural1 & 0xff;
  const ports = structural1 >>> 24;
  const doorbellsAt = (words.doorbellOffset & ~3) >>> 0;
  const runtimeAt = (words.runtimeOffset & ~31) >>> 0;
  if (operationalAt < 0x20 || operationalAt % 4 !== 0) fail(0, `CAPLENGTH is ${operationalAt}`);
  if (slots === 0) fail(XhciCapability.structural1, "no device slots");
  if (ports === 0) fail(XhciCapability.structural1, "no ports");
  const within = (end: number, at: number, what: string): void => {
    if (end > rangeBytes)
      fail(at, `${what} up to 0x${end.toString(16)} in a BAR of 0x${rangeBytes.toString(16)} bytes`);
  };
  within(operationalAt + XhciOperational.ports + ports * xhciPortStride, 0, "port registers");
  within(doorbellsAt + (slots + 1) * 4, XhciCapability.doorbellOffset, "doorbells");
  within(runtimeAt + 0x40, XhciCapability.runtimeOffset, "runtime registers");
  return {
    operationalAt,
    runtimeAt,
    doorbellsAt,
    version: lengthAndVersion >>> 16,
    slots,
    ports,
    scratchpads: (((structural2 >>> 21) & 0x1f) << 5) | (structural2 >>> 27),
    contextBytes: (capability1 & 4) !== 0 ? 64 : 32,
    streamArray: ((capability1 >>> 12) & 0xf) === 0 ? 0 : 2 ** (((capability1 >>> 12) & 0xf) + 1),
    extendedAt: (capability1 >>> 16) * 4,
  };
}
