// IODMACommand: memory prepared for a device, as bus addresses, until it is completed (driverkit-core.md §9.3).

import { type IOReturn, IOReturns } from "../base/io-return.ts";
import { type DmaDirection, type DmaMapping, type DmaPort, DmaRefusal } from "../ports/dma.ts";
import type { Created, IOMemoryDescriptor } from "./memory.ts";

export const kIODMACommandPerformOperationOptionRead = 1;
export const kIODMACommandPerformOperationOptionWrite = 2;
export const kIODMACommandPerformOperationOptionZero = 4;

/** Most segments that one call answers. */
const segmentsMaximum = 32;

export interface IOAddressSegment {
  readonly address: number;
  readonly length: number;
}

export interface IODMACommandSpecification {
  readonly options?: number;
  /** Bits that the device can drive: 32, 64, ... */
  readonly maxAddressBits: number;
}

/** The service whose hardware does the access: its mapper is used, and it knows what is prepared. */
export interface DmaProvider {
  readonly dmaPort: DmaPort;
  /** Commands that are prepared now; the kernel completes them when their owner is gone. */
  readonly preparedCommands: Set<IODMACommand>;
}

/** What PrepareForDMA answers. `flags`: direction bits; In means that the device may write. */
export interface DmaPreparation {
  readonly status: IOReturn;
  readonly flags: number;
  readonly segments: readonly IOAddressSegment[];
}

const failedPreparation = (status: IOReturn): DmaPreparation => ({ status, flags: 0, segments: [] });

export class IODMACommand {
  readonly maxAddressBits: number;
  readonly #device: DmaProvider;
  readonly #owner: string;
  #memory: IOMemoryDescriptor | null = null;
  #mapping: DmaMapping | null = null;
  #offset = 0;
  #length = 0;

  private constructor(device: DmaProvider, maxAddressBits: number, owner: string) {
    this.#device = device;
    this.maxAddressBits = maxAddressBits;
    this.#owner = owner;
  }

  /** `options` must be 0, here and in the specification: kIOReturnBadArgument. `owner` names it in the IOMMU's ledger. */
  static create(
    device: DmaProvider,
    options: number,
    specification: IODMACommandSpecification,
    owner = "DMA command",
  ): Created<IODMACommand> {
    const bad = options !== 0 || (specification.options ?? 0) !== 0 || specification.maxAddressBits < 1;
    if (bad) return { status: IOReturns.kIOReturnBadArgument, value: null };
    const command = new IODMACommand(device, specification.maxAddressBits, owner);
    return { status: IOReturns.kIOReturnSuccess, value: command };
  }

  get isPrepared(): boolean {
    return this.#mapping !== null;
  }

  /**
   * Makes `length` bytes (0: all) of `memory` from `offset` visible to the device and answers where. More segments
   * needed than `segmentsCount` offers: still success, the first ones only; compare the sum. kIOReturnBadArgument: no
   * memory, no segments offered, a range outside. kIOReturnBusy: another memory is prepared (the same one is completed
   * first). kIOReturnMessageTooLarge: no address below the device's limit. kIOReturnNoDevice: it has left.
   */
  prepareForDMA(
    options: number,
    memory: IOMemoryDescriptor | null,
    offset: number,
    length: number,
    segmentsCount = segmentsMaximum,
  ): DmaPreparation {
    if (options !== 0 || memory === null || segmentsCount < 1)
      return failedPreparation(IOReturns.kIOReturnBadArgument);
    if (this.#mapping !== null && this.#memory !== memory) return failedPreparation(IOReturns.kIOReturnBusy);
    const size = length === 0 ? memory.length - offset : length;
    if (offset < 0 || size < 1 || offset + size > memory.length || memory.direction === 0)
      return failedPreparation(IOReturns.kIOReturnBadArgument);
    if (this.#mapping !== null) this.completeDMA(0);
    const mapping = this.#device.dmaPort.map(
      memory.bytes.subarray(offset, offset + size),
      memory.direction as DmaDirection,
      this.#owner,
      { addressBits: Math.min(this.maxAddressBits, 53), alignmentBytes: 1 },
    );
    if (mapping === DmaRefusal.gone) return failedPreparation(IOReturns.kIOReturnNoDevice);
    if (typeof mapping === "number") return failedPreparation(IOReturns.kIOReturnMessageTooLarge);
    this.#memory = memory;
    this.#mapping = mapping;
    this.#offset = offset;
    this.#length = size;
    this.#device.preparedCommands.add(this);
    const segments = mapping.segments
      .slice(0, Math.min(segmentsCount, segmentsMaximum))
      .map(({ address, lengthBytes }) => ({ address, length: lengthBytes }));
    return { status: IOReturns.kIOReturnSuccess, flags: memory.direction, segments };
  }

  /** The mapping ends: what the device writes from now on is refused. kIOReturnNotReady: not prepared. */
  completeDMA(options: number): IOReturn {
    if (options !== 0) return IOReturns.kIOReturnBadArgument;
    if (this.#mapping === null) return IOReturns.kIOReturnNotReady;
    this.#device.dmaPort.unmap(this.#mapping);
    this.#mapping = null;
    this.#memory = null;
    this.#device.preparedCommands.delete(this);
    return IOReturns.kIOReturnSuccess;
  }

  /** Null: not prepared (kIOReturnNotReady). */
  getPreparation(): { offset: number; length: number; memory: IOMemoryDescriptor } | null {
    if (this.#memory === null) return null;
    return { offset: this.#offset, length: this.#length, memory: this.#memory };
  }

  /**
   * Copies between the prepared memory and `data`, or zeroes it; exactly one of the three options. kIOReturnNotReady:
   * not prepared. kIOReturnBadArgument: a mask, or longer than either side.
   */
  performOperation(
    options: number,
    dmaOffset: number,
    length: number,
    dataOffset: number,
    data: IOMemoryDescriptor | null,
  ): IOReturn {
    if (this.#memory === null) return IOReturns.kIOReturnNotReady;
    const isZero = options === kIODMACommandPerformOperationOptionZero;
    const isRead = options === kIODMACommandPerformOperationOptionRead;
    if (!isZero && !isRead && options !== kIODMACommandPerformOperationOptionWrite)
      return IOReturns.kIOReturnBadArgument;
    if (dmaOffset < 0 || length < 0 || dmaOffset + length > this.#length)
      return IOReturns.kIOReturnBadArgument;
    const at = this.#offset + dmaOffset;
    const own = this.#memory.bytes.subarray(at, at + length);
    if (isZero) {
      own.fill(0);
      return IOReturns.kIOReturnSuccess;
    }
    if (data === null || dataOffset < 0 || dataOffset + length > data.length)
      return IOReturns.kIOReturnBadArgument;
    const other = data.bytes.subarray(dataOffset, dataOffset + length);
    if (isRead) other.set(own);
    else own.set(other);
    return IOReturns.kIOReturnSuccess;
  }
}
