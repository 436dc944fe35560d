// The USB rows of a timeline: transfers, marks and faults, as USB readers want them.

import { getU32le, putU32le } from "../base/bytes.ts";
import type { TraceHash } from "../base/hash.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { Timeline, type TimelineOptions, type TimelineRow } from "./timeline.ts";

/** What a row is. */
export const TraceKind = { submit: 0, complete: 1, mark: 2, attach: 3, detach: 4 } as const;
export type TraceKind = (typeof TraceKind)[keyof typeof TraceKind];

/** USB transfer types as usbmon numbers them: 0 isochronous, 1 interrupt, 2 control, 3 bulk. */
export const TraceTransfer = { isochronous: 0, interrupt: 1, control: 2, bulk: 3 } as const;

/** The length of a submission where a capture does not tell it. */
export const unknownLength = -1;

/** One row, for readers. */
export interface TraceRow {
  /** Among the USB rows of the run, from 0. */
  readonly index: number;
  /** Its name in the timeline, and that of the row that led to it (0: nothing known). */
  readonly sequence: number;
  readonly causeSequence: number;
  readonly kind: TraceKind;
  readonly timeNs: number;
  /** Pairs a completion with its submission; counts from 1. */
  readonly id: number;
  readonly device: number;
  /** Address with direction bit; control transfers have the direction of their data stage. */
  readonly endpoint: number;
  readonly transfer: number;
  /** Completions: a UsbStatus. Submissions: 0. */
  readonly status: number;
  /** Submissions: bytes asked for or offered, or `unknownLength`. Completions: bytes moved. */
  readonly length: number;
  /** SETUP bytes of a control submission, else null. */
  readonly setup: Uint8Array | null;
  /** OUT data at submission, IN data at completion. */
  readonly data: Uint8Array;
  /** The driver call that caused it, or the text of a mark; empty when there is none. */
  readonly text: string;
  /** Bulk stream of a submission; 0 for none. */
  readonly stream: number;
  /** Bytes of each packet of an isochronous transfer: asked for or offered, then moved. Null for others, and where nobody knows. */
  readonly packets: readonly number[] | null;
}

/** Rows of these kinds are the wire's. */
const wireKinds = [TimelineKind.usb, TimelineKind.mark, TimelineKind.fault] as const;

/**
 * Rows are numbers in the timeline's columns: kind and length of the SETUP bytes, number, the four small ones in one
 * (device, endpoint, transfer, status), length, stream. What the timeline's limit took is counted in `dropped`: nothing is lost in silence.
 */
export class UsbTraceLog {
  readonly timeline: Timeline;
  #nextId = 1;

  constructor(where: Timeline | TimelineOptions = {}) {
    this.timeline = where instanceof Timeline ? where : new Timeline(where);
  }

  /** USB rows that are kept. */
  get count(): number {
    return wireKinds.reduce((sum, kind) => sum + this.timeline.kept(kind), 0);
  }

  /** USB rows that were given up. */
  get dropped(): number {
    return wireKinds.reduce((sum, kind) => sum + this.timeline.lost(kind), 0);
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** Setup (8 bytes, or null), `packets` and data are copied. Answers the row's sequence in the timeline. */
  add(
    kind: TraceKind,
    timeNs: number,
    id: number,
    device: number,
    endpoint: number,
    transfer: number,
    status: number,
    length: number,
    setup: Uint8Array | null,
    data: Uint8Array | null,
    dataOffset: number,
    dataLength: number,
    text: string,
    stream = 0,
    cause = 0,
    packets: readonly number[] | null = null,
  ): number {
    const before = packets === null ? setup : bytesOfPackets(packets);
    const setupLength = packets === null ? (setup === null ? 0 : 8) : packets.length * packetSizeBytes;
    return this.timeline.add(
      TimelineKind.usb,
      timeNs,
      cause,
      text,
      kind + setupLength * 16,
      id,
      ((device * 256 + endpoint) * 256 + transfer) * 256 + status,
      length,
      stream,
      before,
      setupLength,
      data,
      dataOffset,
      dataLength,
    );
  }

  /** A remark between transfers: a cable that was pulled. */
  mark(timeNs: number, text: string, cause = 0): number {
    return this.timeline.add(TimelineKind.mark, timeNs, cause, text, TraceKind.mark);
  }

  /** A remark of the faults' plan: what struck, and where. */
  fault(timeNs: number, text: string, cause = 0): number {
    return this.timeline.add(TimelineKind.fault, timeNs, cause, text, TraceKind.mark);
  }

  *all(): Generator<TraceRow> {
    let index = this.dropped;
    for (const row of this.timeline.rows(undefined, wireKinds)) yield traceRow(row, index++);
  }

  /** Feeds every row and byte to a digest, without making row objects. Its fields are those of the first trace, for ever. */
  hashInto(hash: TraceHash): void {
    hash.number(this.dropped);
    this.timeline.scan(wireKinds, (rows, at, timeNs, text, arena, bytesAt, bytes) => {
      const place = rows[at + 2];
      hash.number(rows[at]);
      hash.number(timeNs);
      hash.number(rows[at + 1]);
      hash.number(Math.floor(place / 0x1000000));
      hash.number((place >>> 16) & 0xff);
      hash.number(place & 0xffff);
      hash.number(rows[at + 3]);
      hash.number(bytes - Math.floor(rows[at] / 16));
      hash.number(rows[at + 4]);
      hash.bytes(arena, bytesAt, bytes);
      hash.text(text);
    });
  }
}

/** A USB row of a timeline as USB readers want it. `index` is its number among them. */
export function traceRow(row: TimelineRow, index: number): TraceRow {
  const [kindAndSetup, id, place, length, stream] = row.fields;
  const setupLength = Math.floor(kindAndSetup / 16);
  const transfer = (place >>> 8) & 0xff;
  const before = setupLength === 0 ? null : row.bytes.slice(0, setupLength);
  const isPackets = transfer === TraceTransfer.isochronous && before !== null;
  return {
    index,
    sequence: row.sequence,
    causeSequence: row.cause,
    kind: (kindAndSetup % 16) as TraceKind,
    timeNs: row.timeNs,
    id,
    device: Math.floor(place / 0x1000000),
    endpoint: (place >>> 16) & 0xff,
    transfer,
    status: place & 0xff,
    length,
    setup: isPackets ? null : before,
    data: setupLength === 0 ? row.bytes : row.bytes.slice(setupLength),
    text: row.text,
    stream,
    packets: isPackets ? packetsOfBytes(before) : null,
  };
}

/** Where others have SETUP bytes, isochronous rows have the lengths of their packets. */
const packetSizeBytes = 4;

function bytesOfPackets(packets: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(packets.length * packetSizeBytes);
  for (const [index, length] of packets.entries()) putU32le(bytes, index * packetSizeBytes, length);
  return bytes;
}

function packetsOfBytes(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length / packetSizeBytes }, (_, index) =>
    getU32le(bytes, index * packetSizeBytes),
  );
}
