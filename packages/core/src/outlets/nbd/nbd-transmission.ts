// The transmission phase of one NBD connection: requests in, pieces to the disk, replies out.

import { putU32be, putU64be } from "../../base/bytes.ts";
import { InputBuffer } from "../../base/input-buffer.ts";
import {
  NbdAllocation,
  NbdChunk,
  NbdChunkFlag,
  NbdCommand,
  NbdCommandFlag,
  NbdError,
  nbdChunkHeaderBytes,
  nbdRequestBytes,
  nbdSimpleReplyBytes,
  newNbdRequestHeader,
  readNbdRequest,
  writeNbdChunkHeader,
  writeNbdSimpleReply,
} from "../../codec/nbd/nbd.ts";
import { type BlockRuns, BlockStatus, BlockSubmit } from "../../ports/block.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import { type ArenaBlock, type BlockPool, ByteArena } from "../byte-arena.ts";
import { type NbdExport, type NbdPiece, nbdPayloadMaximum, type SlotUser } from "./nbd-export.ts";
import { NbdRequest } from "./nbd-request.ts";

export const nbdArenaBlockBytes = 1 << 20;
/** Bounds of one connection. Beyond them nothing more of it is read until something is answered. */
const requestMaximum = 256;
const pieceMaximum = 64;
const arenaBlockMaximum = 4;

/** An error chunk with the offset: code, length of the message (none), offset. */
const errorPayloadBytes = 14;
const dataHeaderBytes = nbdChunkHeaderBytes + 8;
/** Block status: length and flags of an extent. */
const statusExtentBytes = 8;
export const nbdAllocationContextId = 1;

const errorOfStatus: Readonly<Record<BlockStatus, number>> = {
  [BlockStatus.ok]: NbdError.ok,
  [BlockStatus.ioError]: NbdError.io,
  [BlockStatus.mediumError]: NbdError.io,
  [BlockStatus.writeProtected]: NbdError.notPermitted,
  [BlockStatus.noSpace]: NbdError.noSpace,
  [BlockStatus.gone]: NbdError.shutdown,
  [BlockStatus.aborted]: NbdError.io,
  [BlockStatus.unsupported]: NbdError.notSupported,
};

const errorOfSubmit: Readonly<Record<BlockSubmit, number>> = {
  [BlockSubmit.accepted]: NbdError.ok,
  [BlockSubmit.gone]: NbdError.shutdown,
  [BlockSubmit.badRequest]: NbdError.invalid,
  [BlockSubmit.unsupported]: NbdError.notSupported,
};

const knownFlags =
  NbdCommandFlag.fua |
  NbdCommandFlag.noHole |
  NbdCommandFlag.df |
  NbdCommandFlag.reqOne |
  NbdCommandFlag.fastZero;

export interface TransmissionOptions {
  readonly stream: ByteStream;
  readonly exported: NbdExport;
  readonly isStructured: boolean;
  /** The client chose base:allocation for this export. */
  readonly hasAllocation: boolean;
  /** Where payloads and replies are kept: shared by the connections of a server. Default: memory of its own. */
  readonly pool?: BlockPool;
  /** The client has begun not to read its replies, or reads them again. */
  readonly onFull?: (isFull: boolean) => void;
  /** The phase is over: the connection is to be closed. */
  readonly onEnd: (reason: string) => void;
}

/**
 * Bytes are read in one pass: headers from where they lie, payload straight into the buffer that goes to the disk. A
 * read's bytes land behind the room for their reply's header, so nothing is copied on the way out. Long requests are
 * served in pieces of 256 KiB.
 *
 * Bounded: 256 requests, 64 pieces at the disk, 4 MiB of payload and 4 MiB of replies per connection. At a bound, or
 * while the client does not read its replies, the stream is paused.
 */
export class NbdTransmission implements SlotUser {
  readonly #stream: ByteStream;
  readonly #exported: NbdExport;
  readonly #isStructured: boolean;
  readonly #hasAllocation: boolean;
  readonly #onEnd: (reason: string) => void;
  readonly #onFull: (isFull: boolean) => void;
  readonly #header = newNbdRequestHeader();
  readonly #partial = new Uint8Array(nbdRequestBytes);
  #partialBytes = 0;
  readonly #replies: ByteArena;
  readonly #payloads: ByteArena;
  readonly #spare: NbdRequest[] = [];
  #requests = 0;
  #flying = 0;
  /** Bytes of the disk that the pieces at it move. */
  #flyingBytes = 0;
  served = 0;

  /** Bytes that came while nothing could be taken. */
  readonly #held = new InputBuffer();
  #isStalled = false;
  #isPaused = false;
  #isFull = false;
  #isPumping = false;
  #isLeaving = false;
  #isOver = false;

  /** The request whose pieces are being submitted. */
  #current: NbdRequest | null = null;
  /** The write whose payload is coming, and the piece it fills. */
  #incoming: NbdRequest | null = null;
  #filling: ArenaBlock | null = null;
  #fillAt = 0;
  #fillLength = 0;
  #filled = 0;
  /** Payload of a refused write. */
  #skipBytes = 0;
  #skipError = 0;

  constructor(options: TransmissionOptions) {
    this.#stream = options.stream;
    this.#exported = options.exported;
    this.#isStructured = options.isStructured;
    this.#hasAllocation = options.hasAllocation;
    this.#onEnd = options.onEnd;
    const pump = () => {
      if (this.#isStalled) this.#pump();
    };
    const { pool } = options;
    this.#onFull = options.onFull ?? (() => {});
    this.#replies = new ByteArena(nbdArenaBlockBytes, arenaBlockMaximum, pump, pool);
    this.#payloads = new ByteArena(nbdArenaBlockBytes, arenaBlockMaximum, pump, pool);
    options.exported.join(this);
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver || this.#isLeaving) return;
    let at = 0;
    if (this.#held.available === 0 && !this.#isStalled) {
      this.#isPumping = true;
      at = this.#consume(bytes, 0, bytes.length);
      this.#isPumping = false;
      if (this.#isOver) return;
    }
    if (at < bytes.length) this.#held.push(at === 0 ? bytes : bytes.subarray(at));
    this.#settleFlow();
  }

  drained(): void {
    if (this.#isFull) this.#onFull(false);
    this.#isFull = false;
    if (this.#isStalled) this.#pump();
  }

  /** The connection is gone, or is to go. What is at the disk comes back later and is dropped. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held.clear();
    this.#exported.leave(this);
    this.#replies.over();
    this.#payloads.over();
    const filling = this.#filling;
    this.#filling = null;
    filling?.released(this.#fillLength);
  }

  /** After `over`, when the stream is closed: nothing that it still held comes back. */
  gone(): void {
    this.#replies.gone();
    this.#payloads.gone();
  }

  exportGone(): void {
    if (!this.#isOver) this.#onEnd("the disk left");
  }

  slotFree(): void {
    if (this.#isStalled) this.#pump();
  }

  pieceDone(piece: NbdPiece, status: BlockStatus): void {
    const request = piece.request as NbdRequest;
    if (request.flushAfter && request.isWhole && request.pending === 1 && !this.#isOver) {
      // The slot may be used again inside its completion (ports/block.ts).
      request.flushAfter = false;
      if (status === BlockStatus.ok && request.error === 0) {
        const submitted = this.#exported.port.flush(piece.slot);
        if (submitted === BlockSubmit.accepted) return;
        request.error = errorOfSubmit[submitted];
      }
    }
    this.#flying--;
    request.pending--;
    const block = piece.block;
    const { at, length, offset, reservedBytes } = piece;
    this.#flyingBytes -= length;
    if (this.#flying === 0) this.#exported.quiet();
    this.#exported.give(piece);
    if (this.#isOver) {
      block?.released(reservedBytes);
      return;
    }
    const error = errorOfStatus[status];
    if (error !== NbdError.ok && request.error === 0) request.error = error;
    if (request.command === NbdCommand.blockStatus) this.#answerStatus(request, piece.runs);
    else if (request.command !== NbdCommand.read) {
      block?.released(reservedBytes);
      this.#endWhenDone(request);
    } else if (block !== null) {
      if (request.isSerial) this.#serialPieceDone(request, block, at, reservedBytes, length);
      else this.#readPieceDone(request, error, block, at, reservedBytes, length, offset);
    }
    if (this.#isStalled) this.#pump();
  }

  // What comes in.

  /** Takes what it can of `bytes[at .. end)`; answers where it stopped. */
  #consume(bytes: Uint8Array, at: number, end: number): number {
    while (at < end && !this.#isStalled && !this.#isOver && !this.#isLeaving) {
      if (this.#skipBytes > 0) {
        const count = Math.min(this.#skipBytes, end - at);
        at += count;
        this.#skipBytes -= count;
        if (this.#skipBytes === 0) this.#refuse(this.#skipError);
      } else if (this.#incoming !== null) {
        at = this.#takePayload(this.#incoming, bytes, at, end);
      } else if (this.#requests >= requestMaximum || this.#isFull) {
        this.#isStalled = true;
      } else if (this.#partialBytes === 0 && end - at >= nbdRequestBytes) {
        this.#begin(bytes, at);
        at += nbdRequestBytes;
      } else {
        const count = Math.min(nbdRequestBytes - this.#partialBytes, end - at);
        this.#partial.set(bytes.subarray(at, at + count), this.#partialBytes);
        this.#partialBytes += count;
        at += count;
        if (this.#partialBytes < nbdRequestBytes) continue;
        this.#partialBytes = 0;
        this.#begin(this.#partial, 0);
      }
    }
    return at;
  }

  /** Goes on after something came back. */
  #pump(): void {
    if (this.#isPumping || this.#isOver) return;
    this.#isPumping = true;
    this.#isStalled = false;
    if (this.#filling !== null && this.#filled === this.#fillLength) this.#submitPayload();
    if (!this.#isStalled && this.#current !== null) this.#advance(this.#current);
    const held = this.#held;
    if (!this.#isStalled && held.available > 0)
      held.consume(this.#consume(held.bytes, held.start, held.end) - held.start);
    this.#isPumping = false;
    if (!this.#isOver) this.#settleFlow();
  }

  #settleFlow(): void {
    const mustPause = this.#held.available > 0 || this.#isStalled;
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#stream.pause();
    else this.#stream.resume();
  }

  #begin(bytes: Uint8Array, at: number): void {
    const header = this.#header;
    if (!readNbdRequest(bytes, at, header)) {
      this.#onEnd("a request has the wrong magic word");
      return;
    }
    this.served++;
    if (header.command === NbdCommand.disconnect) {
      this.#isLeaving = true;
      if (this.#requests === 0) this.#onEnd("disconnected");
      return;
    }
    const error = this.#judge();
    if (error === NbdError.ok) {
      this.#start();
    } else if (header.command === NbdCommand.write && header.length > 0) {
      this.#skipBytes = header.length;
      this.#skipError = error;
    } else this.#refuse(error);
  }

  /** What is wrong with the request of the header. */
  #judge(): number {
    const { command, flags, length, offset } = this.#header;
    const exported = this.#exported;
    if ((flags & ~knownFlags) !== 0) return NbdError.invalid;
    if (command === NbdCommand.flush) return NbdError.ok;
    const isChange =
      command === NbdCommand.write || command === NbdCommand.trim || command === NbdCommand.writeZeroes;
    const isStatus = command === NbdCommand.blockStatus;
    if (!isChange && !isStatus && command !== NbdCommand.read) return NbdError.invalid;
    if (isChange && exported.isReadOnly) return NbdError.notPermitted;
    if (isStatus && !this.#hasAllocation) return NbdError.invalid;
    if (length === 0) return NbdError.invalid;
    if (offset + length > exported.sizeBytes) {
      const wantsRoom = command === NbdCommand.write || command === NbdCommand.writeZeroes;
      return wantsRoom ? NbdError.noSpace : NbdError.invalid;
    }
    if (offset % exported.blockBytes !== 0 || length % exported.blockBytes !== 0) return NbdError.invalid;
    if (command === NbdCommand.trim && !exported.port.geometry.canTrim) return NbdError.notSupported;
    if ((command === NbdCommand.read || command === NbdCommand.write) && length > nbdPayloadMaximum)
      return NbdError.invalid;
    // Whether zeros come fast is not known, and the server does not say that it is.
    if ((flags & NbdCommandFlag.fastZero) !== 0) return NbdError.notSupported;
    if (command === NbdCommand.read && (flags & NbdCommandFlag.df) !== 0) {
      if (!this.#isStructured) return NbdError.invalid;
      if (length > exported.pieceBytes) return NbdError.overflow;
    }
    return NbdError.ok;
  }

  #start(): void {
    const header = this.#header;
    const request = this.#spare.pop() ?? new NbdRequest();
    request.command = header.command;
    request.handleHigh = header.handleHigh;
    request.handleLow = header.handleLow;
    request.isForced = (header.flags & NbdCommandFlag.fua) !== 0;
    request.mayTrim = (header.flags & NbdCommandFlag.noHole) === 0;
    request.start = header.offset;
    request.cursor = header.offset;
    request.end = header.offset + header.length;
    request.pending = 0;
    request.isWhole = false;
    request.error = NbdError.ok;
    request.flushAfter = request.isForced && header.command === NbdCommand.trim;
    request.isOne = (header.flags & NbdCommandFlag.reqOne) !== 0;
    request.isSerial =
      header.command === NbdCommand.read && !this.#isStructured && header.length > this.#exported.pieceBytes;
    this.#requests++;
    if (header.command === NbdCommand.write) this.#incoming = request;
    else {
      this.#current = request;
      this.#advance(request);
    }
  }

  // What goes to the disk.

  /** Submits what it can of a request without payload. */
  #advance(request: NbdRequest): void {
    const exported = this.#exported;
    if (request.isSerial && this.#requests > 1) {
      // Nothing may come between the parts of its answer.
      this.#isStalled = true;
      return;
    }
    const hasData =
      request.command === NbdCommand.read ||
      (request.command === NbdCommand.writeZeroes && exported.zeros !== null);
    while (!request.isWhole) {
      if (request.isSerial && request.pending > 0) {
        this.#isStalled = true;
        return;
      }
      const isStatus = request.command === NbdCommand.blockStatus;
      const most = hasData ? exported.pieceBytes : isStatus ? Number.POSITIVE_INFINITY : exported.rangeBytes;
      const length = Math.min(most, request.end - request.cursor);
      const piece = this.#takePiece(hasData ? length : 0);
      if (piece === null) return;
      if (request.command === NbdCommand.read && !this.#makeRoom(piece, request, length)) return;
      piece.request = request;
      piece.offset = request.cursor;
      piece.length = length;
      request.cursor += length;
      request.isWhole = request.cursor >= request.end || request.command === NbdCommand.flush;
      this.#submit(piece, request);
    }
    // A serial read stays current until it is answered.
    if (request.isSerial && this.#current === request) this.#isStalled = true;
    else this.#current = null;
  }

  /** Room for a read's data behind its reply's header. */
  #makeRoom(piece: NbdPiece, request: NbdRequest, length: number): boolean {
    const headerBytes = this.#isStructured
      ? dataHeaderBytes
      : request.cursor === request.start
        ? nbdSimpleReplyBytes
        : 0;
    const block = this.#replies.reserve(headerBytes + length);
    if (block === null) {
      this.#isStalled = true;
      this.#exported.give(piece);
      return false;
    }
    piece.block = block;
    piece.at = this.#replies.offset + headerBytes;
    piece.reservedBytes = headerBytes + length;
    return true;
  }

  /** A slot, or null and stalled. Who shares the disk with others keeps only so much of it busy. */
  #takePiece(bytes: number): NbdPiece | null {
    const isHeavy = this.#flying > 0 && this.#flyingBytes >= this.#exported.shareBytes;
    const isBusy = this.#flying >= pieceMaximum || isHeavy;
    const piece = isBusy ? null : this.#exported.take(this, bytes);
    if (piece === null) {
      this.#isStalled = true;
      if (!isBusy) this.#exported.wait(this, bytes);
    }
    return piece;
  }

  #submit(piece: NbdPiece, request: NbdRequest): void {
    const { blockBytes, port, zeros } = this.#exported;
    const { slot } = piece;
    const first = piece.offset / blockBytes;
    const blocks = piece.length / blockBytes;
    let submitted: BlockSubmit;
    switch (request.command) {
      case NbdCommand.read:
        submitted = port.read(slot, first, blocks, (piece.block as ArenaBlock).bytes, piece.at);
        break;
      case NbdCommand.write:
        submitted = port.write(
          slot,
          first,
          blocks,
          (piece.block as ArenaBlock).bytes,
          piece.at,
          request.isForced,
        );
        break;
      case NbdCommand.flush:
        submitted = port.flush(slot);
        break;
      case NbdCommand.trim:
        submitted = port.trim(slot, first, blocks);
        break;
      case NbdCommand.blockStatus:
        submitted = port.allocation?.(slot, first, blocks, piece.runs) ?? BlockSubmit.unsupported;
        if (submitted !== BlockSubmit.unsupported) break;
        // Who does not know where holes are has none to show.
        piece.runs.allData(blocks);
        this.#exported.give(piece);
        request.isWhole = true;
        this.#answerStatus(request, piece.runs);
        return;
      default:
        submitted =
          zeros === null
            ? port.writeZeroes(slot, first, blocks, request.mayTrim, request.isForced)
            : port.write(slot, first, blocks, zeros, 0, request.isForced);
    }
    if (submitted === BlockSubmit.accepted) {
      if (this.#flying++ === 0) this.#exported.busy();
      this.#flyingBytes += piece.length;
      request.pending++;
      return;
    }
    const error = errorOfSubmit[submitted];
    if (request.error === 0) request.error = error;
    const block = piece.block;
    const { offset, reservedBytes } = piece;
    this.#exported.give(piece);
    block?.released(reservedBytes);
    // The rest would fare no better; a write's payload still has to be read.
    if (request.command !== NbdCommand.write) request.isWhole = true;
    if (request.command === NbdCommand.read && this.#isStructured)
      this.#answerReadError(request, error, offset);
    else if (request.isSerial) this.#serialFailed(request, offset === request.start);
    else this.#endWhenDone(request);
  }

  /** Moves payload to where the disk will take it from; answers where it stopped. */
  #takePayload(request: NbdRequest, bytes: Uint8Array, at: number, end: number): number {
    let block = this.#filling;
    if (block === null) {
      this.#fillLength = Math.min(this.#exported.pieceBytes, request.end - request.cursor);
      block = this.#payloads.reserve(this.#fillLength);
      if (block === null) {
        this.#isStalled = true;
        return at;
      }
      this.#filling = block;
      this.#fillAt = this.#payloads.offset;
      this.#filled = 0;
    }
    const count = Math.min(this.#fillLength - this.#filled, end - at);
    block.bytes.set(bytes.subarray(at, at + count), this.#fillAt + this.#filled);
    this.#filled += count;
    if (this.#filled === this.#fillLength) this.#submitPayload();
    return at + count;
  }

  #submitPayload(): void {
    const request = this.#incoming as NbdRequest;
    const piece = this.#takePiece(this.#fillLength);
    if (piece === null) return;
    piece.request = request;
    piece.block = this.#filling;
    piece.at = this.#fillAt;
    piece.reservedBytes = this.#fillLength;
    piece.offset = request.cursor;
    piece.length = this.#fillLength;
    this.#filling = null;
    request.cursor += piece.length;
    if (request.cursor === request.end) {
      request.isWhole = true;
      this.#incoming = null;
    }
    this.#submit(piece, request);
  }

  // What goes out.

  #readPieceDone(
    request: NbdRequest,
    error: number,
    block: ArenaBlock,
    at: number,
    reservedBytes: number,
    length: number,
    offset: number,
  ): void {
    if (!this.#isStructured) {
      if (error === NbdError.ok) {
        const start = at - nbdSimpleReplyBytes;
        writeNbdSimpleReply(block.bytes, start, NbdError.ok, request.handleHigh, request.handleLow);
        this.#release(request);
        this.#send(block, start, reservedBytes);
      } else {
        block.released(reservedBytes);
        this.#endWhenDone(request);
      }
      return;
    }
    if (error !== NbdError.ok) {
      block.released(reservedBytes);
      this.#answerReadError(request, error, offset);
      return;
    }
    const isLast = request.isWhole && request.pending === 0;
    const start = at - dataHeaderBytes;
    writeNbdChunkHeader(
      block.bytes,
      start,
      isLast ? NbdChunkFlag.done : 0,
      NbdChunk.offsetData,
      request.handleHigh,
      request.handleLow,
      8 + length,
    );
    putU64be(block.bytes, start + nbdChunkHeaderBytes, offset);
    if (isLast) this.#release(request);
    this.#send(block, start, reservedBytes);
  }

  #answerReadError(request: NbdRequest, error: number, offset: number): void {
    const isLast = request.isWhole && request.pending === 0;
    const bytes = new Uint8Array(nbdChunkHeaderBytes + errorPayloadBytes);
    writeNbdChunkHeader(
      bytes,
      0,
      isLast ? NbdChunkFlag.done : 0,
      NbdChunk.errorOffset,
      request.handleHigh,
      request.handleLow,
      errorPayloadBytes,
    );
    putU32be(bytes, nbdChunkHeaderBytes, error);
    putU64be(bytes, nbdChunkHeaderBytes + 6, offset);
    if (isLast) this.#release(request);
    this.#write(bytes);
  }

  #serialPieceDone(
    request: NbdRequest,
    block: ArenaBlock,
    at: number,
    reservedBytes: number,
    length: number,
  ): void {
    const isFirst = reservedBytes > length;
    if (request.error !== NbdError.ok) {
      block.released(reservedBytes);
      this.#serialFailed(request, isFirst);
      return;
    }
    const start = at + length - reservedBytes;
    if (isFirst) writeNbdSimpleReply(block.bytes, start, NbdError.ok, request.handleHigh, request.handleLow);
    if (request.isWhole) {
      this.#current = null;
      this.#release(request);
    }
    this.#send(block, start, reservedBytes);
  }

  /** A simple reply that has begun cannot say that it went wrong: the protocol asks for the end of the connection. */
  #serialFailed(request: NbdRequest, isFirst: boolean): void {
    this.#current = null;
    request.isWhole = true;
    if (isFirst) this.#endWhenDone(request);
    else this.#onEnd("a read failed after its reply had begun");
  }

  /** Extents of base:allocation: data, or a hole that reads as zeros. What the disk could not tell is data. */
  #answerStatus(request: NbdRequest, runs: BlockRuns): void {
    const { blockBytes } = this.#exported;
    if (request.error !== NbdError.ok) runs.allData((request.end - request.start) / blockBytes);
    const count = request.isOne ? 1 : runs.count;
    const payloadBytes = 4 + statusExtentBytes * count;
    const bytes = new Uint8Array(nbdChunkHeaderBytes + payloadBytes);
    writeNbdChunkHeader(
      bytes,
      0,
      NbdChunkFlag.done,
      NbdChunk.blockStatus,
      request.handleHigh,
      request.handleLow,
      payloadBytes,
    );
    putU32be(bytes, nbdChunkHeaderBytes, nbdAllocationContextId);
    for (let index = 0; index < count; index++) {
      const at = nbdChunkHeaderBytes + 4 + statusExtentBytes * index;
      putU32be(bytes, at, runs.blocks[index] * blockBytes);
      putU32be(bytes, at + 4, runs.isHole[index] === 1 ? NbdAllocation.hole | NbdAllocation.zero : 0);
    }
    this.#release(request);
    this.#write(bytes);
  }

  /** Answers a request of the header that was not begun. */
  #refuse(error: number): void {
    const { command, handleHigh, handleLow } = this.#header;
    const isRead = command === NbdCommand.read || command === NbdCommand.blockStatus;
    if (!isRead || !this.#isStructured) {
      this.#answerSimply(error, handleHigh, handleLow);
      return;
    }
    const payloadBytes = 6;
    const bytes = new Uint8Array(nbdChunkHeaderBytes + payloadBytes);
    writeNbdChunkHeader(bytes, 0, NbdChunkFlag.done, NbdChunk.error, handleHigh, handleLow, payloadBytes);
    putU32be(bytes, nbdChunkHeaderBytes, error);
    this.#write(bytes);
  }

  /** For all but structured reads: one reply when the last piece is back. */
  #endWhenDone(request: NbdRequest): void {
    if (!request.isWhole || request.pending > 0) return;
    if (this.#current === request) this.#current = null;
    const { error, handleHigh, handleLow } = request;
    this.#release(request);
    this.#answerSimply(error, handleHigh, handleLow);
  }

  #answerSimply(error: number, handleHigh: number, handleLow: number): void {
    const block = this.#replies.reserve(nbdSimpleReplyBytes);
    if (block === null) {
      const bytes = new Uint8Array(nbdSimpleReplyBytes);
      writeNbdSimpleReply(bytes, 0, error, handleHigh, handleLow);
      this.#write(bytes);
      return;
    }
    const at = this.#replies.offset;
    writeNbdSimpleReply(block.bytes, at, error, handleHigh, handleLow);
    this.#send(block, at, nbdSimpleReplyBytes);
  }

  #send(block: ArenaBlock, at: number, length: number): void {
    if (!this.#stream.write(block.bytes.subarray(at, at + length), block)) this.#becomeFull();
    this.#endWhenLeft();
  }

  #write(bytes: Uint8Array): void {
    if (!this.#stream.write(bytes)) this.#becomeFull();
    this.#endWhenLeft();
  }

  #becomeFull(): void {
    if (!this.#isFull) this.#onFull(true);
    this.#isFull = true;
  }

  #release(request: NbdRequest): void {
    this.#requests--;
    this.#spare.push(request);
  }

  #endWhenLeft(): void {
    if (this.#isLeaving && this.#requests === 0 && !this.#isOver) this.#onEnd("disconnected");
  }
}
