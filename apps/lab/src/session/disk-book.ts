// Disks as their wire shows them: blocks that were written, flushed, caught by a power cut, and lost.

import { getU16be, getU32be, getU64be } from "@drydock/core/base/bytes";
import { isCommandWrapper, isStatusWrapper } from "@drydock/core/codec/mass-storage/bulk-only";
import { newCdbFields, readCdb } from "@drydock/core/codec/scsi/cdb";
import { StorageWire, type WireCommand } from "@drydock/core/dissect/storage-wire";
import { TimelineKind } from "@drydock/core/ports/recorder";
import { UsbStatus } from "@drydock/core/ports/usb-host";
import type { Timeline } from "@drydock/core/trace/timeline";
import { TraceKind, type TraceRow, traceRow } from "@drydock/core/trace/usb-trace-log";
import { PaintedBlocks } from "./painted-blocks.ts";
import { BlockState, type DiskMap, type DiskView } from "./views.ts";

/** Rows that are looked at for one question. */
const rowsEach = 100_000;
const mostCells = 1024;
const mostRuns = 40;
const mostFlushes = 40;
/** Blocks whose contents are remembered, so that one that reads otherwise is known to be lost. */
const mostContents = 262_144;
const forceUnitAccess = 0x08;

const opcodes = {
  inquiry: 0x12,
  readCapacity10: 0x25,
  serviceActionIn: 0x9e,
  unmap: 0x42,
  formatUnit: 0x04,
} as const;
const writes = new Set([0x0a, 0x2a, 0xaa, 0x8a, 0x89, 0x41, 0x93]);
/** WRITE AND VERIFY: on the medium when it has ended (SBC-3 §5.44). */
const durableWrites = new Set([0x2e, 0xae, 0x8e]);
/** One block's data for all of them. */
const writeSames = new Set([0x41, 0x93]);
const reads = new Set([0x08, 0x28, 0xa8, 0x88]);
const flushes = new Set([0x35, 0x91]);

/** FNV-1a: two contents that differ are told apart, nobody plays against it here. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  return hash >>> 0;
}

const textOf = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to).map((byte) => (byte < 0x20 || byte > 0x7e ? 0x20 : byte)))
    .replace(/ +/g, " ")
    .trim();

class Disk {
  title = "";
  serial = "";
  isThere = true;
  blockBytes: number | null = null;
  blockCount: number | null = null;
  readonly blocks = new PaintedBlocks();
  readonly contents = new Map<number, number>();
  isForgetful = false;
  flushCount = 0;
  readonly flushRows: DiskMap["flushes"][number][] = [];
  cuts = 0;

  remember(block: number, count: number, data: Uint8Array | null, isSame: boolean): void {
    const size = this.blockBytes ?? 0;
    const isKnown = data !== null && size > 0 && data.length === (isSame ? 1 : count) * size;
    for (let index = 0; index < Math.min(count, mostContents); index++) {
      const at = block + index;
      if (!isKnown || (this.contents.size >= mostContents && !this.contents.has(at))) {
        this.isForgetful ||= isKnown;
        this.contents.delete(at);
      } else
        this.contents.set(at, hashOf(data, isSame ? 0 : index * size, (isSame ? 0 : index * size) + size));
    }
  }

  /** What a read brought is held against what was written. */
  compare(block: number, count: number, data: Uint8Array): void {
    const size = this.blockBytes ?? 0;
    if (size === 0 || data.length !== count * size) return;
    for (let index = 0; index < count; index++) {
      const at = block + index;
      const written = this.contents.get(at);
      if (written === undefined) continue;
      const isSame = hashOf(data, index * size, (index + 1) * size) === written;
      if (!isSame) this.blocks.paint(at, at + 1, BlockState.lost);
      else if (this.blocks.stateOf(at) === BlockState.cut) this.blocks.paint(at, at + 1, BlockState.flushed);
    }
  }

  /** Its power went: what was not flushed may be anything. */
  cut(): void {
    this.isThere = false;
    this.cuts++;
    this.blocks.change(0, Number.MAX_SAFE_INTEGER, (state) =>
      state === BlockState.dirty ? BlockState.cut : state,
    );
  }
}

export class DiskBook {
  readonly #timeline: Timeline;
  #next: number;
  #sequence = 0;
  #timeNs = 0;
  readonly #wire = new StorageWire((command) => this.#command(command));
  /** The newest data of each pipe, by device, endpoint and stream. */
  readonly #data = new Map<string, Uint8Array>();
  /** By device and unit, as the wire names them. */
  readonly #disks = new Map<string, Disk>();
  readonly #known: Disk[] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#next = timeline.oldest;
  }

  #read(): number {
    let read = 0;
    for (const row of this.#timeline.rows(this.#next, [
      TimelineKind.usb,
      TimelineKind.mark,
      TimelineKind.fault,
    ])) {
      if (read++ >= rowsEach) return this.#timeline.next - this.#next;
      this.#next = row.sequence + 1;
      this.#sequence = row.sequence;
      this.#timeNs = row.timeNs;
      this.#feed(traceRow(row, 0));
    }
    this.#next = this.#timeline.next;
    return 0;
  }

  #feed(row: TraceRow): void {
    const { data, device, endpoint, id, length, setup, stream } = row;
    if (row.kind === TraceKind.mark) {
      this.#wire.marked(row.text);
      const left = /^device (\d+) left the bus$/.exec(row.text)?.[1];
      if (left !== undefined) this.#left(left);
    } else if (row.kind === TraceKind.submit) {
      if (setup === null && (endpoint & 0x80) === 0 && !isCommandWrapper(data, 0, data.length))
        this.#data.set(`${device} ${endpoint} ${stream}`, data);
      this.#wire.submitted({ id, device, endpoint, setup, data, requested: length, stream, cause: row.text });
    } else if (row.kind === TraceKind.complete) {
      const isOk = row.status === UsbStatus.ok;
      // Over Bulk-Only the status comes through the data's pipe.
      if ((endpoint & 0x80) !== 0 && setup === null && isOk && !isStatusWrapper(data, 0, data.length))
        this.#data.set(`${device} ${endpoint} ${stream}`, data);
      this.#wire.completed({ id, device, endpoint, result: isOk ? "ok" : "error", moved: length, data });
    }
  }

  #left(device: string): void {
    for (const [key, disk] of this.#disks) {
      if (!key.startsWith(`${device} `)) continue;
      disk.cut();
      this.#disks.delete(key);
    }
    for (const key of this.#data.keys()) if (key.startsWith(`${device} `)) this.#data.delete(key);
  }

  #diskOf({ device, lun }: WireCommand): Disk {
    const key = `${device} ${lun}`;
    let disk = this.#disks.get(key);
    if (disk === undefined) {
      disk = new Disk();
      this.#disks.set(key, disk);
      this.#known.push(disk);
    }
    return disk;
  }

  /** A disk that came back goes on where it was: it says the same of itself. */
  #recognise(command: WireCommand, disk: Disk): Disk {
    const before = this.#known.find(
      (other) =>
        other !== disk &&
        !other.isThere &&
        other.title === disk.title &&
        (other.serial === disk.serial || other.serial === "" || disk.serial === ""),
    );
    // What was written already is the new one's own story.
    if (before === undefined || disk.blocks.runCount > 0) return disk;
    before.isThere = true;
    this.#known.splice(this.#known.indexOf(disk), 1);
    this.#disks.set(`${command.device} ${command.lun}`, before);
    return before;
  }

  #dataOf(command: WireCommand, isOut: boolean): Uint8Array | null {
    const { data, device } = command;
    if (data === null || ((data.endpoint & 0x80) === 0) !== isOut) return null;
    return this.#data.get(`${device} ${data.endpoint} ${data.stream}`) ?? null;
  }

  #command(command: WireCommand): void {
    if (command.status !== 0) return;
    const cdb = new Uint8Array(32);
    cdb.set(command.cdb.subarray(0, 32));
    const fields = newCdbFields();
    if (!readCdb(cdb, command.cdb.length, fields)) return;
    const opcode = cdb[0];
    const disk = this.#diskOf(command);
    const { count, lba } = fields;
    if (writes.has(opcode) || durableWrites.has(opcode)) {
      const isForced =
        durableWrites.has(opcode) || (!writeSames.has(opcode) && (fields.flags & forceUnitAccess) !== 0);
      disk.blocks.paint(lba, lba + count, isForced ? BlockState.flushed : BlockState.dirty);
      disk.remember(lba, count, this.#dataOf(command, true), writeSames.has(opcode));
    } else if (reads.has(opcode)) {
      const data = this.#dataOf(command, false);
      if (data !== null) disk.compare(lba, count, data);
    } else if (flushes.has(opcode)) {
      disk.flushCount++;
      const to = count === 0 ? Number.MAX_SAFE_INTEGER : lba + count;
      const isWhole = lba === 0 && count === 0;
      disk.flushRows.push({
        sequence: this.#sequence,
        timeNs: this.#timeNs,
        text: isWhole ? `${command.name}: everything` : `${command.name}: from block ${lba}`,
      });
      if (disk.flushRows.length > mostFlushes) disk.flushRows.shift();
      disk.blocks.change(lba, to, (state) => (state === BlockState.dirty ? BlockState.flushed : state));
    } else if (opcode === opcodes.formatUnit) {
      disk.blocks.paint(0, Number.MAX_SAFE_INTEGER, 0);
      disk.contents.clear();
    } else if (opcode === opcodes.unmap) this.#unmapped(disk, this.#dataOf(command, true));
    else this.#told(command, cdb, disk);
  }

  /** SBC-3 §5.28.2: a header of eight bytes, then descriptors of sixteen. */
  #unmapped(disk: Disk, list: Uint8Array | null): void {
    if (list === null || list.length < 8) return;
    const end = Math.min(list.length, 8 + getU16be(list, 2));
    for (let at = 8; at + 16 <= end; at += 16) {
      const block = getU64be(list, at);
      const count = getU32be(list, at + 8);
      disk.blocks.paint(block, block + count, 0);
      disk.remember(block, count, null, false);
    }
  }

  /** What it says of itself: name, number, size. */
  #told(command: WireCommand, cdb: Uint8Array, disk: Disk): void {
    const answer = command.data?.answer ?? null;
    if (answer === null) return;
    const isCapacity16 = cdb[0] === opcodes.serviceActionIn && (cdb[1] & 0x1f) === 0x10;
    if (cdb[0] === opcodes.inquiry && (cdb[1] & 1) === 0 && answer.length >= 32) {
      disk.title = `${textOf(answer, 8, 16)} ${textOf(answer, 16, 32)}, unit ${command.lun}`;
      this.#recognise(command, disk);
    } else if (cdb[0] === opcodes.inquiry && cdb[2] === 0x80 && answer.length > 4)
      disk.serial = textOf(answer, 4, Math.min(answer.length, 4 + answer[3]));
    else if (cdb[0] === opcodes.readCapacity10 && answer.length >= 8) {
      disk.blockBytes = getU32be(answer, 4);
      // All ones: more than this command can say.
      if (getU32be(answer, 0) !== 0xffff_ffff) disk.blockCount = getU32be(answer, 0) + 1;
    } else if (isCapacity16 && answer.length >= 12) {
      disk.blockCount = getU64be(answer, 0) + 1;
      disk.blockBytes = getU32be(answer, 8);
    }
  }

  view(): DiskView {
    const left = this.#read();
    return {
      name: "disk",
      left,
      isWhole: this.#timeline.oldest === 1,
      disks: this.#known
        // A card reader's empty unit has nothing to show.
        .filter(({ blockBytes, blocks }) => blockBytes !== null || blocks.runCount > 0)
        .map(
          (disk): DiskMap => ({
            title: disk.title === "" ? "a disk" : disk.title,
            isThere: disk.isThere,
            blockBytes: disk.blockBytes,
            blockCount: disk.blockCount,
            ...disk.blocks.cells(mostCells),
            counts: {
              dirty: disk.blocks.count(BlockState.dirty),
              flushed: disk.blocks.count(BlockState.flushed),
              cut: disk.blocks.count(BlockState.cut),
              lost: disk.blocks.count(BlockState.lost),
            },
            runs: disk.blocks.runs([BlockState.dirty, BlockState.cut, BlockState.lost], mostRuns),
            flushCount: disk.flushCount,
            flushes: disk.flushRows,
            cuts: disk.cuts,
            isForgetful: disk.isForgetful,
          }),
        ),
    };
  }
}
