// What the two transports of a mass storage device have in common: whom they serve, and how they are called.

import type { ScsiTargetPort, ScsiTask } from "../../ports/scsi-target.ts";

/** What an engine may do to the device it is part of. */
export interface EngineDevice {
  readonly target: ScsiTargetPort;
  /** Bytes of a bulk packet at the device's speed. */
  readonly packetBytes: number;
  /** See UsbUpstream.ready. */
  ready(endpoint: number, stream?: number): void;
  halt(endpoint: number): void;
  /** See UsbUpstream.misused. */
  misused(text: string): void;
}

/** One transport: Bulk-Only or USB Attached SCSI. Only one is in force, by the alternate setting. */
export interface TransportEngine {
  /** Forgets everything: power, bus reset, another alternate setting. */
  reset(): void;
  in(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream: number): number;
  out(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream: number): number;
  /** The target finished a task of this engine. */
  finished(task: ScsiTask): void;
  haltCleared(endpoint: number): void;
}

/** Grows `staging` to at least `bytes`, by doubling, so that a long run allocates a few times only. */
export function roomFor(staging: Uint8Array, bytes: number): Uint8Array {
  if (staging.length >= bytes) return staging;
  let size = Math.max(staging.length, 4096);
  while (size < bytes) size *= 2;
  return new Uint8Array(size);
}
