// A driver's own memory for its device: queues, lists, frames; prepared for DMA once and kept.

import { IOReturns } from "../base/io-return.ts";
import type { IOPCIDevice } from "../families/pci/io-pci-device.ts";
import { IODMACommand } from "../runtime/dma-command.ts";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "../runtime/memory.ts";
import type { IOService } from "../runtime/service.ts";

/** Rounded to it and aligned to it, whatever the IOMMU's pages are. */
const granuleBytes = 4096;

/** Memory that the controller uses for as long as the driver lives. */
export class DmaBuffer {
  readonly bytes: Uint8Array;
  /** One address for all of it. */
  readonly address: number;
  readonly #memory: IOBufferMemoryDescriptor;
  readonly #command: IODMACommand;

  private constructor(memory: IOBufferMemoryDescriptor, command: IODMACommand, address: number) {
    this.#memory = memory;
    this.#command = command;
    this.bytes = memory.bytes;
    this.address = address;
  }

  /** IOError when there is no memory, or when the mapping has several pieces: queues must be contiguous (CAP.CQR). */
  static create(
    driver: IOService,
    device: IOPCIDevice,
    lengthBytes: number,
    owner: string,
    maxAddressBits = 64,
  ): DmaBuffer {
    const size = Math.ceil(lengthBytes / granuleBytes) * granuleBytes;
    const memory = IOBufferMemoryDescriptor.create(
      driver.process.memory,
      kIOMemoryDirectionOutIn,
      size,
      granuleBytes,
    );
    if (memory.value === null) throw driver.failure(memory.status, "IOBufferMemoryDescriptor.create", owner);
    const command = IODMACommand.create(device, 0, { maxAddressBits }, owner);
    if (command.value === null) throw driver.failure(command.status, "IODMACommand.create", owner);
    const prepared = command.value.prepareForDMA(0, memory.value, 0, 0);
    if (prepared.status !== IOReturns.kIOReturnSuccess)
      throw driver.failure(prepared.status, "IODMACommand.prepareForDMA", owner);
    const [first] = prepared.segments;
    if (prepared.segments.length !== 1 || first.length !== size || first.address % granuleBytes !== 0)
      throw driver.failure(
        IOReturns.kIOReturnNoSpace,
        "IODMACommand.prepareForDMA",
        `${owner} lies in ${prepared.segments.length} pieces`,
      );
    return new DmaBuffer(memory.value, command.value, first.address);
  }

  /** After the controller has stopped: its accesses from now on are refused. */
  release(): void {
    if (this.#command.isPrepared) this.#command.completeDMA(0);
    this.#memory.release();
  }
}
