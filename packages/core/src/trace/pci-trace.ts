// Registers, mappings and messages of a PCI function as rows of the timeline: same port in, same port out.

import type { Clock } from "../base/clock.ts";
import { hex } from "../base/text.ts";
import type { DmaLimits, DmaMapping, DmaPort, DmaRefusal } from "../ports/dma.ts";
import { DmaDirection } from "../ports/dma.ts";
import {
  type PciAddress,
  type PciHostClient,
  type PciHostPort,
  type PciMessage,
  type PciRange,
  type PciStatus,
  PciSubmit,
} from "../ports/pci-host.ts";
import { TimelineKind } from "../ports/recorder.ts";
import type { Timeline, TimelineRow } from "./timeline.ts";

export interface PciTraceOptions {
  readonly clock: Clock;
  readonly timeline: Timeline;
}

/** Texts of the rows; the fields of each are told beside it. */
export const PciRow = {
  /** Offset, size. */
  configRead: "configuration read",
  /** Offset, size, value. */
  configWrite: "configuration write",
  /** Range, offset, size. */
  read: "register read",
  /** Range, offset, size, low, high. */
  write: "register write",
  /** Range (-1: configuration), offset, status, low, high. */
  answer: "answer",
  /** Vector. */
  message: "message",
  /** Level. */
  line: "line",
  detached: "detached",
  /** Address, length, direction. */
  map: "map",
  unmap: "unmap",
} as const;

/** A row of register, DMA or interrupt as a line: "register write BAR0+0x1008 = 0x1". Another row: its text. */
export function describePciRow(row: TimelineRow): string {
  const { text, fields } = row;
  const place = (range: number, offset: number): string =>
    range < 0 ? `configuration+0x${hex(offset)}` : `range ${range}+0x${hex(offset)}`;
  const wide = (low: number, high: number): string =>
    high === 0 ? `0x${hex(low)}` : `0x${hex(high)}${hex(low, 8)}`;
  switch (text) {
    case PciRow.configRead:
      return `${text} 0x${hex(fields[0])} (${fields[1]} bytes)`;
    case PciRow.configWrite:
      return `${text} 0x${hex(fields[0])} = 0x${hex(fields[2])}`;
    case PciRow.read:
      return `${text} ${place(fields[0], fields[1])}`;
    case PciRow.write:
      return `${text} ${place(fields[0], fields[1])} = ${wide(fields[3], fields[4])}`;
    case PciRow.answer:
      return `${text} ${place(fields[0], fields[1])} = ${wide(fields[3], fields[4])}${fields[2] === 0 ? "" : ` (status ${fields[2]})`}`;
    case PciRow.message:
      return `${text} ${fields[0]}`;
    case PciRow.map:
      return `${text} 0x${hex(fields[0])}, ${fields[1]} bytes, ${["none", "device writes", "device reads", "both ways"][fields[2]] ?? ""}`;
    case PciRow.unmap:
      return `${text} 0x${hex(fields[0])}, ${fields[1]} bytes`;
    default:
      return text;
  }
}

/** Above faults, below the family: the rows are what the driver's side saw. */
export function withPciTrace(port: PciHostPort, options: PciTraceOptions): PciHostPort {
  return new PciTrace(port, options);
}

class PciTrace implements PciHostPort, PciHostClient {
  readonly address: PciAddress;
  readonly ranges: readonly PciRange[];
  readonly dma: DmaPort;
  readonly slotCount: number;
  readonly #port: PciHostPort;
  readonly #clock: Clock;
  readonly #timeline: Timeline;
  #client: PciHostClient | null = null;
  // Per slot: what was asked, and the row that asked it.
  readonly #rangeOf: Int8Array;
  readonly #offsets: Float64Array;
  readonly #rows: Float64Array;

  constructor(port: PciHostPort, options: PciTraceOptions) {
    this.#port = port;
    this.#clock = options.clock;
    this.#timeline = options.timeline;
    this.#timeline.reads([TimelineKind.register, TimelineKind.dma, TimelineKind.interrupt], describePciRow);
    this.address = port.address;
    this.ranges = port.ranges;
    this.slotCount = port.slotCount;
    this.dma = new DmaTrace(port.dma, options);
    this.#rangeOf = new Int8Array(port.slotCount);
    this.#offsets = new Float64Array(port.slotCount);
    this.#rows = new Float64Array(port.slotCount);
  }

  connect(client: PciHostClient): void {
    this.#client = client;
    this.#port.connect(this);
  }

  configRead(slot: number, offset: number, sizeBytes: number): PciSubmit {
    const submitted = this.#port.configRead(slot, offset, sizeBytes);
    if (submitted === PciSubmit.accepted)
      this.#asked(slot, -1, offset, this.#add(TimelineKind.register, PciRow.configRead, offset, sizeBytes));
    return submitted;
  }

  configWrite(offset: number, sizeBytes: number, value: number): void {
    this.#add(TimelineKind.register, PciRow.configWrite, offset, sizeBytes, value);
    this.#port.configWrite(offset, sizeBytes, value);
  }

  memoryRead(slot: number, range: number, offset: number, sizeBytes: number): PciSubmit {
    const submitted = this.#port.memoryRead(slot, range, offset, sizeBytes);
    if (submitted === PciSubmit.accepted)
      this.#asked(
        slot,
        range,
        offset,
        this.#add(TimelineKind.register, PciRow.read, range, offset, sizeBytes),
      );
    return submitted;
  }

  memoryWrite(range: number, offset: number, sizeBytes: number, low: number, high: number): void {
    this.#add(TimelineKind.register, PciRow.write, range, offset, sizeBytes, low, high);
    this.#port.memoryWrite(range, offset, sizeBytes, low, high);
  }

  messages(count: number): readonly PciMessage[] {
    return this.#port.messages(count);
  }

  reset(): void {
    this.#add(TimelineKind.register, "function reset");
    this.#port.reset();
  }

  readCompleted(slot: number, status: PciStatus, low: number, high: number): void {
    this.#timeline.add(
      TimelineKind.register,
      this.#clock.nowNs(),
      this.#rows[slot],
      PciRow.answer,
      this.#rangeOf[slot],
      this.#offsets[slot],
      status,
      low,
      high,
    );
    this.#client?.readCompleted(slot, status, low, high);
  }

  message(vector: number): void {
    this.#add(TimelineKind.interrupt, PciRow.message, vector);
    this.#client?.message(vector);
  }

  line(isRaised: boolean): void {
    this.#add(TimelineKind.interrupt, PciRow.line, isRaised ? 1 : 0);
    this.#client?.line(isRaised);
  }

  detached(): void {
    this.#add(TimelineKind.register, PciRow.detached);
    this.#client?.detached();
  }

  #asked(slot: number, range: number, offset: number, row: number): void {
    this.#rangeOf[slot] = range;
    this.#offsets[slot] = offset;
    this.#rows[slot] = row;
  }

  #add(kind: TimelineKind, text: string, a = 0, b = 0, c = 0, d = 0, e = 0): number {
    return this.#timeline.add(kind, this.#clock.nowNs(), this.#clock.cause, text, a, b, c, d, e);
  }
}

class DmaTrace implements DmaPort {
  readonly #port: DmaPort;
  readonly #clock: Clock;
  readonly #timeline: Timeline;

  constructor(port: DmaPort, options: PciTraceOptions) {
    this.#port = port;
    this.#clock = options.clock;
    this.#timeline = options.timeline;
  }

  get pageBytes(): number {
    return this.#port.pageBytes;
  }

  get isTranslated(): boolean {
    return this.#port.isTranslated;
  }

  get mappingCount(): number {
    return this.#port.mappingCount;
  }

  map(
    memory: Uint8Array,
    direction: DmaDirection,
    owner: string,
    limits?: DmaLimits,
  ): DmaMapping | DmaRefusal {
    const mapping = this.#port.map(memory, direction, owner, limits);
    if (typeof mapping === "number") this.#add("map refused", memory.length, mapping);
    else this.#add(PciRow.map, mapping.firstAddress, mapping.lengthBytes, direction);
    return mapping;
  }

  unmap(mapping: DmaMapping): void {
    this.#add(PciRow.unmap, mapping.firstAddress, mapping.lengthBytes, DmaDirection.none);
    this.#port.unmap(mapping);
  }

  #add(text: string, a: number, b: number, c = 0): void {
    this.#timeline.add(TimelineKind.dma, this.#clock.nowNs(), this.#clock.cause, text, a, b, c);
  }
}
