// IODataQueueDispatchSource: a ring of entries in shared memory, and who is told of them (driverkit-core.md §8.4).

import { getU32le, putU32le } from "../base/bytes.ts";
import { type IOReturn, IOReturns } from "../base/io-return.ts";
import type { OSAction } from "./action.ts";
import type { AddressSpace } from "./address-space.ts";
import type { IODispatchQueue } from "./dispatch-queue.ts";
import { DispatchSource } from "./dispatch-source.ts";
import { type Created, IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "./memory.ts";

/** head, tail, one byte that says that an enqueue found no room, and what is reserved; then the entries. */
const place = { head: 0, tail: 4, needsServiced: 8, entries: 128 } as const;
/** Before the bytes of an entry: their count. */
export const dataQueueEntryHeaderBytes = 4;
const mostBytes = 0xffff_ffff - 128;

/** Where an entry's bytes lie in the queue's memory. */
export interface DataQueueEntry {
  readonly offset: number;
  readonly length: number;
  /** head or tail once it is taken or put. */
  readonly next: number;
}

/** One writer and one reader, who may be two processes: only the memory says what is in it. */
export class IODataQueueDispatchSource extends DispatchSource {
  /** Header and entries; an application may map it. */
  readonly memory: IOBufferMemoryDescriptor;
  readonly #capacity: number;
  #available: OSAction | null = null;
  #serviced: OSAction | null = null;

  private constructor(queue: IODispatchQueue, memory: IOBufferMemoryDescriptor, capacity: number) {
    super(queue);
    this.memory = memory;
    this.#capacity = capacity;
  }

  /** kIOReturnBadArgument unless `byteCount` is a multiple of 4 that fits; kIOReturnNoMemory. */
  static create(
    byteCount: number,
    queue: IODispatchQueue,
    space: AddressSpace,
  ): Created<IODataQueueDispatchSource> {
    if (byteCount < dataQueueEntryHeaderBytes || byteCount % 4 !== 0 || byteCount > mostBytes)
      return { status: IOReturns.kIOReturnBadArgument, value: null };
    const made = IOBufferMemoryDescriptor.create(
      space,
      kIOMemoryDirectionOutIn,
      place.entries + byteCount,
      0,
    );
    if (made.value === null) return { status: IOReturns.kIOReturnNoMemory, value: null };
    made.value.bytes.fill(0);
    const source = new IODataQueueDispatchSource(queue, made.value, byteCount);
    return { status: IOReturns.kIOReturnSuccess, value: source };
  }

  /** Told that the queue is no longer empty. Runs on the queue of its own method. */
  setDataAvailableHandler(action: OSAction): IOReturn {
    if (this.isCancelled) return IOReturns.kIOReturnUnsupported;
    this.#available = action;
    return IOReturns.kIOReturnSuccess;
  }

  /** Told that there is room again, after an enqueue has failed. */
  setDataServicedHandler(action: OSAction): IOReturn {
    if (this.isCancelled) return IOReturns.kIOReturnUnsupported;
    this.#serviced = action;
    return IOReturns.kIOReturnSuccess;
  }

  get dataAvailableHandler(): OSAction | null {
    return this.#available;
  }

  get dataServicedHandler(): OSAction | null {
    return this.#serviced;
  }

  /** Room for an entry of `length` bytes, to be put with `put`; kIOReturnUnderrun: the offsets make no sense. */
  room(length: number): DataQueueEntry | IOReturn {
    const { bytes } = this.memory;
    const head = getU32le(bytes, place.head);
    const tail = getU32le(bytes, place.tail);
    if (!this.#isSound(head) || !this.#isSound(tail)) return IOReturns.kIOReturnUnderrun;
    const whole = entryBytes(length);
    if (tail >= head) {
      if (whole <= this.#capacity - tail) return entryAt(tail, length);
      // An entry never lies in two pieces: this one begins again at the front, and must leave the head free.
      if (whole < head) return entryAt(0, length);
      return IOReturns.kIOReturnOverrun;
    }
    return whole < head - tail ? entryAt(tail, length) : IOReturns.kIOReturnOverrun;
  }

  /** An enqueue that found no room: the reader is to say when there is some. */
  noteOverrun(): void {
    this.memory.bytes[place.needsServiced] = 1;
  }

  /** The entry is whole. True: the queue was empty, and whoever reads must be told. */
  put({ length, next, offset }: DataQueueEntry): boolean {
    const { bytes } = this.memory;
    const tail = getU32le(bytes, place.tail);
    const at = offset - dataQueueEntryHeaderBytes;
    putU32le(bytes, at, length);
    // What is left behind the old tail says to go on at the front.
    if (at === place.entries && tail !== 0 && this.#capacity - tail >= dataQueueEntryHeaderBytes)
      putU32le(bytes, place.entries + tail, length);
    const wasEmpty = getU32le(bytes, place.head) === tail;
    putU32le(bytes, place.tail, next);
    return wasEmpty;
  }

  /** The oldest entry; kIOReturnUnderrun: there is none; kIOReturnError: its size makes no sense. */
  oldest(): DataQueueEntry | IOReturn {
    const { bytes } = this.memory;
    const head = getU32le(bytes, place.head);
    const tail = getU32le(bytes, place.tail);
    if (!this.#isSound(head) || !this.#isSound(tail)) return IOReturns.kIOReturnError;
    if (head === tail) return IOReturns.kIOReturnUnderrun;
    const isAtEnd =
      head > tail &&
      (this.#capacity - head < dataQueueEntryHeaderBytes ||
        entryBytes(getU32le(bytes, place.entries + head)) > this.#capacity - head);
    const at = isAtEnd ? 0 : head;
    const length = getU32le(bytes, place.entries + at);
    const entry = entryAt(at, length);
    const end = at > tail ? this.#capacity : tail;
    return entry.next > end ? IOReturns.kIOReturnError : entry;
  }

  /** The entry is read. True: somebody waits for room, and must be told. */
  take({ next }: DataQueueEntry): boolean {
    const { bytes } = this.memory;
    putU32le(bytes, place.head, next);
    if (bytes[place.needsServiced] === 0) return false;
    bytes[place.needsServiced] = 0;
    return true;
  }

  get isDataAvailable(): boolean {
    return getU32le(this.memory.bytes, place.head) !== getU32le(this.memory.bytes, place.tail);
  }

  /** kIOReturnOverrun: there is no room for `count` entries of `length` bytes now. */
  canEnqueue(length: number, count = 1): IOReturn {
    const one = this.room(length);
    if (typeof one === "number") return one;
    if (count <= 1) return IOReturns.kIOReturnSuccess;
    const { bytes } = this.memory;
    const head = getU32le(bytes, place.head);
    const tail = getU32le(bytes, place.tail);
    const whole = entryBytes(length);
    const fit = (from: number, to: number): number => Math.floor(Math.max(0, to - from) / whole);
    const free = tail >= head ? fit(tail, this.#capacity) + fit(0, head - 1) : fit(tail, head - 1);
    return free >= count ? IOReturns.kIOReturnSuccess : IOReturns.kIOReturnOverrun;
  }

  /** Whether a source that is not enabled tells is not documented: it does here (unknown). */
  sendDataAvailable(): void {
    if (!this.isCancelled) this.#available?.invoke(0, 0, 0);
  }

  sendDataServiced(): void {
    if (!this.isCancelled) this.#serviced?.invoke(0, 0, 0);
  }

  protected override enableChanged(_enable: boolean): void {}

  protected override cancelled(): void {
    this.#available = null;
    this.#serviced = null;
  }

  #isSound(offset: number): boolean {
    return offset <= this.#capacity && offset % 4 === 0;
  }
}

/** With its header, in whole words. */
function entryBytes(length: number): number {
  return dataQueueEntryHeaderBytes + Math.ceil(length / 4) * 4;
}

function entryAt(at: number, length: number): DataQueueEntry {
  return {
    offset: place.entries + at + dataQueueEntryHeaderBytes,
    length,
    next: at + entryBytes(length),
  };
}
