// What memory is to a device: mappings with direction, owner and bounds, and the memory that both sides can share.

/** Who may do what, from the memory's view, as kIOMemoryDirection* counts. */
export const DmaDirection = {
  none: 0,
  /** The device may write. */
  deviceWrites: 1,
  /** The device may read. */
  deviceReads: 2,
  both: 3,
} as const;
export type DmaDirection = (typeof DmaDirection)[keyof typeof DmaDirection];

/** A piece of bus address space: what a device is told. Below 2^53. */
export interface DmaSegment {
  readonly address: number;
  readonly lengthBytes: number;
}

/** Memory that a device may use, from `map` to `unmap`. */
export interface DmaMapping {
  /** In order; one where an IOMMU translates. */
  readonly segments: readonly DmaSegment[];
  /** The first segment's address, and how many there are: what data paths ask for. */
  readonly firstAddress: number;
  readonly segmentCount: number;
  readonly lengthBytes: number;
  /**
   * The device works on a copy: what it writes shows in the memory only at `unmap`, and what is written into the
   * memory after `map` never reaches the device (posts.md T6).
   */
  readonly isBounced: boolean;
}

/** Why there is no mapping. */
export const DmaRefusal = {
  /** No memory below the address limit is left. */
  noRoom: 1,
  /** Nothing to map, or a limit that makes no sense. */
  badRequest: 2,
  /** The device has left. */
  gone: 3,
} as const;
export type DmaRefusal = (typeof DmaRefusal)[keyof typeof DmaRefusal];

/** What a device can address. */
export interface DmaLimits {
  /** 16 to 53: addresses stay below 2^addressBits; who has none so low refuses with `noRoom`. */
  readonly addressBits: number;
  /** A power of two; memory that starts elsewhere is bounced. */
  readonly alignmentBytes: number;
}

export const unlimitedDma: DmaLimits = { addressBits: 53, alignmentBytes: 1 };

/**
 * The mapper of one PCI function. Calls take effect at once for the processor; for the device a mapping is gone when the
 * next register write of its port has reached it.
 */
export interface DmaPort {
  /** Granularity of mappings: 16384 in Apple's profiles, 4096 on VT-d and without an IOMMU. */
  readonly pageBytes: number;
  /** False: addresses are physical ones, and one mapping may have several segments. */
  readonly isTranslated: boolean;
  /**
   * Lets the device use `memory`, which stays the caller's: both sides see it, unless it had to be bounced. `owner` says
   * in one or two words whose it is and what for; it appears in the ledger of refused accesses.
   */
  map(
    memory: Uint8Array,
    direction: DmaDirection,
    owner: string,
    limits?: DmaLimits,
  ): DmaMapping | DmaRefusal;
  /** Takes it away; a bounced mapping that the device may write is copied back first. Twice is a contract violation. */
  unmap(mapping: DmaMapping): void;
  /** Mappings that exist now: zero when nothing leaks. */
  readonly mappingCount: number;
}

/** Memory that a device can reach without a copy. A machine without one uses ordinary arrays. */
export interface HostMemory {
  /** Zeroed, on a page of its own, or at least on a multiple of `alignmentBytes`. RangeError when none is left. */
  allocate(lengthBytes: number, alignmentBytes?: number): Uint8Array;
  release(memory: Uint8Array): void;
}
