// What a driver's side sees of one PCI function, whoever carries it: the simulated bus, QEMU over qtest, VFIO.

import type { DmaPort } from "./dma.ts";

/** Where a function sits. */
export interface PciAddress {
  readonly bus: number;
  readonly device: number;
  readonly function: number;
}

/** "01:00.0". */
export function formatPciAddress(address: PciAddress): string {
  const two = (value: number) => value.toString(16).padStart(2, "0");
  return `${two(address.bus)}:${two(address.device)}.${address.function}`;
}

/** A range that a base address register opened. Its index in `ranges` is what IOPCIDevice calls memoryIndex. */
export interface PciRange {
  readonly barIndex: number;
  readonly kind: "io" | "memory32" | "memory64";
  readonly isPrefetchable: boolean;
  /** As the processor sees it. */
  readonly address: number;
  readonly lengthBytes: number;
}

/** How a read ended. */
export const PciStatus = {
  ok: 0,
  /** The link is dead: nobody answered. On Apple silicon a processor's load that ends so is a panic (posts.md T5). */
  unreachable: 1,
  /** The function is there and did not answer in time: a completion timeout. */
  timeout: 2,
  /** The function refused: memory space is off, or no such range. */
  unsupported: 3,
} as const;
export type PciStatus = (typeof PciStatus)[keyof typeof PciStatus];

/** Accepted means exactly one completion; refused means none. */
export const PciSubmit = {
  accepted: 0,
  /** Detached: nothing is accepted any more. */
  gone: 1,
  /** The slot is under way, or size, offset and range do not fit. */
  badRequest: 2,
} as const;
export type PciSubmit = (typeof PciSubmit)[keyof typeof PciSubmit];

/** A message-signalled interrupt: what software writes into the MSI-X table. */
export interface PciMessage {
  readonly address: number;
  readonly data: number;
}

/** Told by the port; never from inside a call of it. */
export interface PciHostClient {
  /** The read in `slot` is over: 64 bits in two halves. Unless `ok`, the value is all ones. */
  readCompleted(slot: number, status: PciStatus, low: number, high: number): void;
  /** A message of `messages` arrived. */
  message(vector: number): void;
  /** The legacy line changed its level. */
  line(isRaised: boolean): void;
  /** The system has noticed that the function left. Accepted reads have completed before. Comes once. */
  detached(): void;
}

/**
 * One function, from enumeration (BARs assigned, decode off) to its removal. A function that comes back is a new port.
 *
 * Writes are posted: they have no completion, arrive in order, and a read arrives after the writes before it
 * (PCI Express 3.0 §2.4). Sizes are 1, 2, 4 and 8 bytes, naturally aligned; 8 travels as two dwords, low first.
 * Values are unsigned; of a value of 8 bytes `high` holds the upper half.
 */
export interface PciHostPort {
  readonly address: PciAddress;
  readonly ranges: readonly PciRange[];
  readonly dma: DmaPort;
  /** Reads under way at once: 16 or more. */
  readonly slotCount: number;
  /** Once, before anything else. */
  connect(client: PciHostClient): void;
  /** `offset` below 4096. A function without extended space answers all ones above 255. */
  configRead(slot: number, offset: number, sizeBytes: number): PciSubmit;
  configWrite(offset: number, sizeBytes: number, value: number): void;
  memoryRead(slot: number, range: number, offset: number, sizeBytes: number): PciSubmit;
  memoryWrite(range: number, offset: number, sizeBytes: number, low: number, high: number): void;
  /** Messages 0 to `count - 1`, or fewer when the host has no more. The same list on every call. */
  messages(count: number): readonly PciMessage[];
  /** Function-level reset: registers as after power-on, BARs and the command register cleared. */
  reset(): void;
}

/** The check every port makes of an access. */
export function isPciAccess(offset: number, sizeBytes: number, limitBytes: number): boolean {
  const isSize = sizeBytes === 1 || sizeBytes === 2 || sizeBytes === 4 || sizeBytes === 8;
  return isSize && offset >= 0 && offset % sizeBytes === 0 && offset + sizeBytes <= limitBytes;
}
