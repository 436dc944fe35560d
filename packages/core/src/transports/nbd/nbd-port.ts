// A disk on an NBD server as a BlockPort: requests become messages, a vanished server is a surprise removal.

import { getU32be, getU64be } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import {
  NbdChunk,
  NbdChunkFlag,
  NbdCommand,
  NbdCommandFlag,
  NbdError,
  NbdFlag,
  nbdChunkHeaderBytes,
  nbdRequestBytes,
  nbdSimpleReplyBytes,
  nbdSimpleReplyMagic,
  nbdStructuredReplyMagic,
  newNbdRequestHeader,
  writeNbdRequest,
} from "../../codec/nbd/nbd.ts";
import {
  type BlockClient,
  type BlockGeometry,
  type BlockPort,
  BlockStatus,
  BlockSubmit,
  judgeBlocks,
} from "../../ports/block.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";

const slots = 128;
/** Requests stay below this, whatever a server would take. */
const largestRequest = 4 << 20;
/** An error chunk's message may be this long; the protocol says so. */
const longestErrorChunk = 14 + 4096;
const free = 255;
/** A number of its own for each use of a slot, so that a late or false reply is noticed. */
const generations = 0x7fffffff;

/** What a server said about an export. */
export interface NbdExportFacts {
  readonly sizeBytes: number;
  readonly flags: number;
  /** Smallest and largest request in bytes, where the server told. */
  readonly leastBytes: number;
  readonly mostBytes: number;
  readonly isStructured: boolean;
}

const statusOfError: Readonly<Record<number, BlockStatus>> = {
  [NbdError.notPermitted]: BlockStatus.writeProtected,
  [NbdError.noSpace]: BlockStatus.noSpace,
  [NbdError.shutdown]: BlockStatus.gone,
};

/**
 * Made by {@link NbdImporter}. A read's bytes go from where they arrive straight into its buffer; a write's bytes are
 * sent from theirs. A server that has no FUA gets a flush after each forced write.
 */
export class NbdPort implements BlockPort {
  readonly geometry: BlockGeometry;
  readonly slotCount = slots;
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #hasFua: boolean;
  readonly #hasFlush: boolean;
  readonly #isStructured: boolean;
  readonly #request = newNbdRequestHeader();
  #client: BlockClient | null = null;
  #isOver = false;
  #isDetached = false;
  #generation = 0;

  // Per slot.
  readonly #commands = new Uint8Array(slots).fill(free);
  readonly #handles = new Uint32Array(slots);
  readonly #starts = new Float64Array(slots);
  readonly #lengths = new Float64Array(slots);
  readonly #buffers: (Uint8Array | null)[] = new Array(slots).fill(null);
  readonly #offsets = new Float64Array(slots);
  readonly #arrived = new Float64Array(slots);
  readonly #errors = new Uint32Array(slots);
  readonly #flushAfter = new Uint8Array(slots);

  // The message that is coming.
  readonly #head = new Uint8Array(nbdChunkHeaderBytes + 12);
  #headBytes = 0;
  #headWanted = nbdSimpleReplyBytes;
  #slot = -1;
  #isLast = false;
  /** Payload still to come, and where it goes; a null target is read over. */
  #payload = 0;
  #target: Uint8Array | null = null;
  #targetAt = 0;

  /** Throws RangeError when the export is no disk of `blockBytes`. */
  constructor(stream: ByteStream, clock: Clock, facts: NbdExportFacts, blockBytes: number) {
    const { flags, leastBytes, mostBytes, sizeBytes } = facts;
    if (blockBytes < leastBytes || !Number.isInteger(Math.log2(blockBytes)) || blockBytes > 65536)
      throw new RangeError(
        `the server asks for requests of ${leastBytes} bytes; blocks of ${blockBytes} do not fit`,
      );
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < blockBytes)
      throw new RangeError(`an export of ${sizeBytes} bytes is no disk`);
    const known = (flags & NbdFlag.hasFlags) !== 0;
    this.#stream = stream;
    this.#clock = clock;
    this.#hasFua = known && (flags & NbdFlag.sendFua) !== 0;
    this.#hasFlush = known && (flags & NbdFlag.sendFlush) !== 0;
    this.#isStructured = facts.isStructured;
    this.geometry = {
      blockBytes,
      blockCount: Math.floor(sizeBytes / blockBytes),
      maximumBlocks: Math.max(16, Math.floor(Math.min(mostBytes, largestRequest) / blockBytes)),
      isReadOnly: known && (flags & NbdFlag.readOnly) !== 0,
      hasWriteCache: this.#hasFlush,
      canTrim: known && (flags & NbdFlag.sendTrim) !== 0,
      canWriteZeroes: known && (flags & NbdFlag.sendWriteZeroes) !== 0,
    };
  }

  connect(client: BlockClient): void {
    this.#client = client;
    // It may be over already, between the handshake and this.
    if (this.#isOver) this.#clock.after(0, tellDetached, this as NbdPort);
  }

  read(slot: number, block: number, blocks: number, buffer: Uint8Array, offset: number): BlockSubmit {
    const refused = this.#judge(slot, block, blocks, buffer, offset);
    if (refused !== BlockSubmit.accepted) return refused;
    this.#buffers[slot] = buffer;
    this.#offsets[slot] = offset;
    this.#send(slot, NbdCommand.read, 0, block, blocks);
    return BlockSubmit.accepted;
  }

  write(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array,
    offset: number,
    isForced: boolean,
  ): BlockSubmit {
    const refused = this.#judge(slot, block, blocks, buffer, offset);
    if (refused !== BlockSubmit.accepted) return refused;
    if (this.geometry.isReadOnly) return BlockSubmit.unsupported;
    this.#send(slot, NbdCommand.write, this.#force(slot, isForced), block, blocks);
    this.#stream.write(buffer.subarray(offset, offset + blocks * this.geometry.blockBytes));
    return BlockSubmit.accepted;
  }

  flush(slot: number): BlockSubmit {
    const refused = this.#judge(slot, 0, 1);
    if (refused !== BlockSubmit.accepted) return refused;
    if (this.#hasFlush) this.#send(slot, NbdCommand.flush, 0, 0, 0);
    else {
      // Nothing is cached that could be flushed.
      this.#commands[slot] = NbdCommand.flush;
      this.#clock.after(0, this.#finishFlush, slot);
    }
    return BlockSubmit.accepted;
  }

  trim(slot: number, block: number, blocks: number): BlockSubmit {
    const refused = this.#judge(slot, block, blocks);
    if (refused !== BlockSubmit.accepted) return refused;
    if (!this.geometry.canTrim) return BlockSubmit.unsupported;
    this.#send(slot, NbdCommand.trim, 0, block, blocks);
    return BlockSubmit.accepted;
  }

  writeZeroes(slot: number, block: number, blocks: number, mayTrim: boolean, isForced: boolean): BlockSubmit {
    const refused = this.#judge(slot, block, blocks);
    if (refused !== BlockSubmit.accepted) return refused;
    if (!this.geometry.canWriteZeroes) return BlockSubmit.unsupported;
    const flags = this.#force(slot, isForced) | (mayTrim ? 0 : NbdCommandFlag.noHole);
    this.#send(slot, NbdCommand.writeZeroes, flags, block, blocks);
    return BlockSubmit.accepted;
  }

  /** Says good-bye and closes. What is under way ends with `gone`. */
  disconnect(): void {
    if (this.#isOver) return;
    const request = this.#request;
    request.command = NbdCommand.disconnect;
    request.flags = request.handleHigh = request.handleLow = request.offset = request.length = 0;
    const bytes = new Uint8Array(nbdRequestBytes);
    writeNbdRequest(bytes, 0, request);
    this.#stream.write(bytes);
    this.#stream.close();
  }

  /** From the importer, which owns the stream. Throws DecodeError for what no server says. */
  received(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      if (this.#payload > 0) {
        const count = Math.min(this.#payload, bytes.length - at);
        this.#target?.set(bytes.subarray(at, at + count), this.#targetAt);
        this.#targetAt += count;
        this.#payload -= count;
        at += count;
        if (this.#payload === 0) this.#messageDone();
        continue;
      }
      const count = Math.min(this.#headWanted - this.#headBytes, bytes.length - at);
      this.#head.set(bytes.subarray(at, at + count), this.#headBytes);
      this.#headBytes += count;
      at += count;
      if (this.#headBytes === this.#headWanted) this.#readHead();
    }
  }

  /** The connection has ended: everything pending ends with `gone`, then `detached`. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (let slot = 0; slot < slots; slot++)
      if (this.#commands[slot] !== free) this.#complete(slot, BlockStatus.gone);
    if (this.#client !== null) this.tellDetached();
  }

  tellDetached(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#client?.detached();
  }

  readonly #finishFlush = (slot: number): void => {
    if (!this.#isOver) this.#complete(slot, BlockStatus.ok);
  };

  #judge(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array | null = null,
    offset = 0,
  ): BlockSubmit {
    if (this.#isOver) return BlockSubmit.gone;
    if (this.#commands[slot] !== free) return BlockSubmit.badRequest;
    return judgeBlocks(this.geometry, block, blocks, buffer, offset);
  }

  #force(slot: number, isForced: boolean): number {
    if (!isForced) return 0;
    if (this.#hasFua) return NbdCommandFlag.fua;
    if (this.#hasFlush) this.#flushAfter[slot] = 1;
    return 0;
  }

  #send(slot: number, command: number, flags: number, block: number, blocks: number): void {
    const { blockBytes } = this.geometry;
    this.#generation = this.#generation === generations ? 1 : this.#generation + 1;
    this.#commands[slot] = command;
    this.#handles[slot] = this.#generation;
    this.#starts[slot] = block * blockBytes;
    this.#lengths[slot] = blocks * blockBytes;
    this.#arrived[slot] = 0;
    this.#errors[slot] = 0;
    const request = this.#request;
    request.command = command;
    request.flags = flags;
    request.handleHigh = this.#generation;
    request.handleLow = slot;
    request.offset = block * blockBytes;
    request.length = blocks * blockBytes;
    const bytes = new Uint8Array(nbdRequestBytes);
    writeNbdRequest(bytes, 0, request);
    this.#stream.write(bytes);
  }

  /** As much of a message's head is there as was wanted: more is wanted, payload follows, or it is over. */
  #readHead(): void {
    const head = this.#head;
    const magic = getU32be(head, 0);
    if (this.#headBytes === nbdSimpleReplyBytes) {
      const slot = this.#slotOf(head);
      if (magic === nbdSimpleReplyMagic) this.#readSimple(slot, getU32be(head, 4));
      else if (magic === nbdStructuredReplyMagic && this.#isStructured)
        this.#headWanted = nbdChunkHeaderBytes;
      else throw new DecodeError("NBD reply", 0, `0x${magic.toString(16)} begins no reply`);
      return;
    }
    const type = (head[6] << 8) | head[7];
    const length = getU32be(head, 16);
    if (this.#headBytes === nbdChunkHeaderBytes) {
      this.#slot = this.#slotOf(head);
      this.#isLast = (head[5] & NbdChunkFlag.done) !== 0;
      const extra = this.#extraOf(type, length);
      if (extra > 0) this.#headWanted = nbdChunkHeaderBytes + extra;
      else this.#expectPayload(null, 0, length);
      return;
    }
    this.#readChunk(type, length);
  }

  /** Bytes of a chunk's payload that say what the rest is. */
  #extraOf(type: number, length: number): number {
    if (type === NbdChunk.none && length === 0) return 0;
    if (type === NbdChunk.offsetData && length > 8) return 8;
    if (type === NbdChunk.offsetHole && length === 12) return 12;
    if (type === NbdChunk.error && length >= 6 && length <= longestErrorChunk) return 6;
    if (type === NbdChunk.errorOffset && length >= 14 && length <= longestErrorChunk) return 6;
    throw new DecodeError("NBD reply", 6, `a chunk of type 0x${type.toString(16)} with ${length} bytes`);
  }

  #readChunk(type: number, length: number): void {
    const head = this.#head;
    const slot = this.#slot;
    if (type === NbdChunk.error || type === NbdChunk.errorOffset) {
      this.#errors[slot] ||= getU32be(head, nbdChunkHeaderBytes) || NbdError.io;
      this.#expectPayload(null, 0, length - 6);
      return;
    }
    const bytes = type === NbdChunk.offsetHole ? getU32be(head, nbdChunkHeaderBytes + 8) : length - 8;
    const into = getU64be(head, nbdChunkHeaderBytes) - this.#starts[slot];
    const buffer = this.#buffers[slot];
    if (buffer === null || this.#commands[slot] !== NbdCommand.read)
      throw new DecodeError("NBD reply", 6, "data for a request that is no read");
    if (!(into >= 0) || into + bytes > this.#lengths[slot])
      throw new DecodeError(
        "NBD reply",
        nbdChunkHeaderBytes,
        `${bytes} bytes at ${into} of ${this.#lengths[slot]}`,
      );
    const at = this.#offsets[slot] + into;
    this.#arrived[slot] += bytes;
    if (type === NbdChunk.offsetHole) {
      buffer.fill(0, at, at + bytes);
      this.#messageDone();
    } else this.#expectPayload(buffer, at, bytes);
  }

  #readSimple(slot: number, error: number): void {
    this.#slot = slot;
    this.#isLast = true;
    this.#errors[slot] = error;
    if (this.#commands[slot] !== NbdCommand.read) {
      this.#messageDone();
      return;
    }
    if (this.#isStructured) throw new DecodeError("NBD reply", 0, "a simple reply to a read");
    if (error !== 0) {
      this.#messageDone();
      return;
    }
    this.#arrived[slot] = this.#lengths[slot];
    this.#expectPayload(this.#buffers[slot], this.#offsets[slot], this.#lengths[slot]);
  }

  #expectPayload(target: Uint8Array | null, at: number, length: number): void {
    this.#target = target;
    this.#targetAt = at;
    this.#payload = length;
    if (length === 0) this.#messageDone();
  }

  #messageDone(): void {
    const slot = this.#slot;
    this.#headBytes = 0;
    this.#headWanted = nbdSimpleReplyBytes;
    this.#target = null;
    if (!this.#isLast) return;
    const error = this.#errors[slot];
    if (error === 0 && this.#flushAfter[slot] !== 0) {
      this.#flushAfter[slot] = 0;
      this.#send(slot, NbdCommand.flush, 0, 0, 0);
      return;
    }
    const isShort = this.#commands[slot] === NbdCommand.read && this.#arrived[slot] !== this.#lengths[slot];
    if (error !== 0) this.#complete(slot, statusOfError[error] ?? BlockStatus.ioError);
    else this.#complete(slot, isShort ? BlockStatus.ioError : BlockStatus.ok);
  }

  #slotOf(head: Uint8Array): number {
    const slot = getU32be(head, 12);
    if (slot >= slots || this.#commands[slot] === free || getU32be(head, 8) !== this.#handles[slot])
      throw new DecodeError("NBD reply", 8, "nobody waits for this reply");
    return slot;
  }

  #complete(slot: number, status: BlockStatus): void {
    this.#commands[slot] = free;
    this.#handles[slot] = 0;
    this.#buffers[slot] = null;
    this.#flushAfter[slot] = 0;
    this.#client?.completed(slot, status);
  }
}

function tellDetached(port: NbdPort): void {
  port.tellDetached();
}
