// NVM Express 1.4 §3.1: controller registers, and CAP and CC as values.

/** Offsets in BAR 0. */
export const NvmeRegister = {
  capLow: 0x00,
  capHigh: 0x04,
  version: 0x08,
  interruptMaskSet: 0x0c,
  interruptMaskClear: 0x10,
  configuration: 0x14,
  status: 0x1c,
  subsystemReset: 0x20,
  adminQueueAttributes: 0x24,
  adminSubmissionLow: 0x28,
  adminSubmissionHigh: 0x2c,
  adminCompletionLow: 0x30,
  adminCompletionHigh: 0x34,
  doorbells: 0x1000,
} as const;

/** CC, §3.1.5. */
export const NvmeConfiguration = {
  enable: 1,
  shutdownMask: 0xc000,
  shutdownNormal: 0x4000,
  shutdownAbrupt: 0x8000,
  /** IOSQES 6 and IOCQES 4: entries of 64 and 16 bytes. */
  entrySizes: (6 << 16) | (4 << 20),
  pageShift: 7,
} as const;

/** CSTS, §3.1.6. All ones: the controller is gone. */
export const NvmeControllerStatus = {
  ready: 1,
  fatal: 2,
  shutdownMask: 0xc,
  shutdownGoing: 0x4,
  shutdownDone: 0x8,
} as const;

/** What the subsystem reset register wants to hear: "NVMe". */
export const nvmeSubsystemResetWord = 0x4e564d65;

export interface NvmeCapabilities {
  /** Largest queue, in entries. */
  readonly queueEntries: number;
  /** Time to become ready, milliseconds. */
  readonly timeoutMs: number;
  /** Bytes from one doorbell to the next. */
  readonly doorbellStride: number;
  readonly pageBytesMinimum: number;
  readonly pageBytesMaximum: number;
  readonly hasSubsystemReset: boolean;
}

export function decodeCapabilities(low: number, high: number): NvmeCapabilities {
  return {
    queueEntries: (low & 0xffff) + 1,
    timeoutMs: (low >>> 24) * 500,
    doorbellStride: 4 << (high & 0xf),
    pageBytesMinimum: 2 ** (12 + ((high >>> 16) & 0xf)),
    pageBytesMaximum: 2 ** (12 + ((high >>> 20) & 0xf)),
    hasSubsystemReset: (high & 0x10) !== 0,
  };
}

/** Low and high half of CAP. Queues must be contiguous, the NVM command set is there. */
export function encodeCapabilities(capabilities: NvmeCapabilities): { low: number; high: number } {
  const { queueEntries, timeoutMs, doorbellStride, pageBytesMinimum, pageBytesMaximum } = capabilities;
  return {
    low: ((queueEntries - 1) | (1 << 16) | (Math.ceil(timeoutMs / 500) << 24)) >>> 0,
    high:
      (Math.log2(doorbellStride / 4) |
        (capabilities.hasSubsystemReset ? 0x10 : 0) |
        (1 << 5) |
        ((Math.log2(pageBytesMinimum) - 12) << 16) |
        ((Math.log2(pageBytesMaximum) - 12) << 20)) >>>
      0,
  };
}

/** Doorbell of a submission queue's tail; its completion queue's head is one stride further (§3.1.24). */
export function submissionDoorbell(queue: number, stride: number): number {
  return NvmeRegister.doorbells + 2 * queue * stride;
}

export function completionDoorbell(queue: number, stride: number): number {
  return NvmeRegister.doorbells + (2 * queue + 1) * stride;
}
