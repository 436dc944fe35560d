// IOMemoryDescriptor and its kin: buffers that drivers and devices share, with direction and mapping rights.

import { ContractViolation } from "../base/errors.ts";
import { type IOReturn, IOReturns } from "../base/io-return.ts";
import { type Address, type AddressSpace, releasedPoison } from "./address-space.ts";

/** Directions, from the view of the memory: In = the device writes it, Out = the device reads it. */
export const kIOMemoryDirectionNone = 0;
export const kIOMemoryDirectionIn = 1;
export const kIOMemoryDirectionOut = 2;
export const kIOMemoryDirectionOutIn = 3;
export const kIOMemoryDisableCopyOnWrite = 0x10;
/** CreateMapping options. */
export const kIOMemoryMapReadOnly = 0x2;
const guardedMask = 0x1c;
const cacheModeMask = 0xf00;
const knownCacheModes = [0, 0x100, 0x200, 0x400, 0x800];
const knownMapOptions = kIOMemoryMapReadOnly | guardedMask | cacheModeMask;

/** Result of a call that C++ makes with an out-parameter: `value` is null unless `status` is success. */
export interface Created<T> {
  readonly status: IOReturn;
  readonly value: T | null;
}

function refused<T>(status: IOReturn): Created<T> {
  return { status, value: null };
}

/**
 * A range of memory and the direction in which a device may use it (driverkit-core.md §9.1). `bytes` is the memory
 * itself, for the kernel, device-side transfers and TypeScript drivers; C-like drivers go through a mapping.
 */
export class IOMemoryDescriptor {
  readonly direction: number;
  /** The task that made it: its own mappings are always writable (posts.md T6). */
  readonly creator: AddressSpace;
  #bytes: Uint8Array;
  #isReleased = false;

  protected constructor(creator: AddressSpace, direction: number, bytes: Uint8Array) {
    this.creator = creator;
    this.direction = direction;
    this.#bytes = bytes;
  }

  /** Kernel's side: memory of a client that a dext is lent. */
  static over(creator: AddressSpace, direction: number, bytes: Uint8Array): IOMemoryDescriptor {
    return new IOMemoryDescriptor(creator, direction, bytes);
  }

  /** GetLength: bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** The memory. Rule `memory-use-after-release` after `release`. */
  get bytes(): Uint8Array {
    if (this.#isReleased)
      throw new ContractViolation("memory-use-after-release", "a released memory descriptor was used");
    return this.#bytes;
  }

  protected setBytes(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /**
   * Maps `length` bytes (0: all) from `offset` into `space`. Read-only when asked for or when the direction is Out,
   * unless `space` made the descriptor: then it is writable in both cases. kIOReturnBadArgument: unknown option or
   * cache mode, alignment other than 0, range outside.
   */
  createMapping(
    space: AddressSpace,
    options: number,
    offset: number,
    length: number,
    alignment = 0,
    label = "memory map",
  ): Created<IOMemoryMap> {
    const size = length === 0 ? this.length - offset : length;
    const badOptions =
      (options & ~knownMapOptions) !== 0 || !knownCacheModes.includes(options & cacheModeMask);
    if (badOptions || alignment !== 0 || offset < 0 || size < 1 || offset + size > this.length) {
      return refused(IOReturns.kIOReturnBadArgument);
    }
    const isReadOnly =
      space !== this.creator &&
      ((options & kIOMemoryMapReadOnly) !== 0 || this.direction === kIOMemoryDirectionOut);
    const window = this.bytes.subarray(offset, offset + size);
    const address = space.map(window, !isReadOnly, label);
    return { status: IOReturns.kIOReturnSuccess, value: new IOMemoryMap(space, address, size, offset) };
  }

  /** A part of `of`, sharing its memory. Options may hold direction bits only. */
  static createSubMemoryDescriptor(
    direction: number,
    offset: number,
    length: number,
    of: IOMemoryDescriptor,
  ): Created<IOMemoryDescriptor> {
    if (
      (direction & ~kIOMemoryDirectionOutIn) !== 0 ||
      offset < 0 ||
      length < 1 ||
      offset + length > of.length
    ) {
      return refused(IOReturns.kIOReturnBadArgument);
    }
    const part = new IOMemoryDescriptor(of.creator, direction, of.bytes.subarray(offset, offset + length));
    return { status: IOReturns.kIOReturnSuccess, value: part };
  }

  /** The creator's reference is given up: later use is reported, and the contents are poisoned. */
  release(): void {
    if (this.#isReleased)
      throw new ContractViolation("memory-released-twice", "a memory descriptor was released twice");
    this.#isReleased = true;
    this.#bytes.fill(releasedPoison);
  }
}

/** A buffer with memory of its own (driverkit-core.md §9.2). */
export class IOBufferMemoryDescriptor extends IOMemoryDescriptor {
  readonly #memory: Uint8Array;
  #range: Address | null = null;

  private constructor(creator: AddressSpace, direction: number, memory: Uint8Array) {
    super(creator, direction, memory);
    this.#memory = memory;
  }

  /**
   * `options` may hold direction bits only: anything else is kIOReturnBadArgument (there is no "physically
   * contiguous"). The length is the capacity at first; the memory is zero-filled, page granular, not contiguous.
   */
  static create(
    creator: AddressSpace,
    options: number,
    capacity: number,
    alignment: number,
  ): Created<IOBufferMemoryDescriptor> {
    if ((options & ~kIOMemoryDirectionOutIn) !== 0 || !Number.isSafeInteger(capacity) || capacity < 0) {
      return refused(IOReturns.kIOReturnBadArgument);
    }
    const memory = creator.hostMemory?.allocate(capacity, alignment) ?? new Uint8Array(capacity);
    const descriptor = new IOBufferMemoryDescriptor(creator, options, memory);
    return { status: IOReturns.kIOReturnSuccess, value: descriptor };
  }

  get capacity(): number {
    return this.#memory.length;
  }

  /** Beyond the capacity it is ignored and still succeeds, as the kernel does. */
  setLength(length: number): IOReturn {
    if (length >= 0 && length <= this.#memory.length) this.setBytes(this.#memory.subarray(0, length));
    return IOReturns.kIOReturnSuccess;
  }

  /** Address in the creating process (mapped on first use) and the current length. */
  getAddressRange(): { address: Address; length: number } {
    this.#range ??= this.creator.map(this.#memory, true, "buffer memory");
    return { address: this.#range, length: this.length };
  }

  override release(): void {
    super.release();
    if (this.#range !== null) this.creator.unmap(this.#range);
    this.creator.hostMemory?.release(this.#memory);
  }
}

/** A mapping; it must be kept while its address is used. */
export class IOMemoryMap {
  readonly #space: AddressSpace;
  readonly #address: Address;
  readonly #length: number;
  readonly #offset: number;

  constructor(space: AddressSpace, address: Address, length: number, offset: number) {
    this.#space = space;
    this.#address = address;
    this.#length = length;
    this.#offset = offset;
  }

  /** Address of the first byte; the offset is already in it. */
  getAddress(): Address {
    return this.#address;
  }

  getLength(): number {
    return this.#length;
  }

  getOffset(): number {
    return this.#offset;
  }

  /** Unmaps: the address is dead from here. */
  release(): void {
    this.#space.unmap(this.#address);
  }
}
