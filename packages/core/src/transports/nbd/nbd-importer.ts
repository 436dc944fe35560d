// Opens a disk on an NBD server, and opens it again when it comes back.

import { getU32be, getU64be, putU32be } from "../../base/bytes.ts";
import type { TimerHandle } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { InputBuffer } from "../../base/input-buffer.ts";
import { decodeUtf8, encodeUtf8 } from "../../base/text.ts";
import { second } from "../../base/units.ts";
import {
  decodeNbdGreeting,
  decodeNbdOptionReply,
  encodeNbdInfoRequest,
  encodeNbdOption,
  NbdHandshake,
  NbdInfo,
  NbdOption,
  NbdOptionReply,
  nbdGreetingBytes,
  nbdOptionReplyHeaderBytes,
} from "../../codec/nbd/nbd.ts";
import type { BlockPort } from "../../ports/block.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import { type Attempt, KeptConnection, type KeptConnectionOptions } from "../kept-connection.ts";
import { NbdPort } from "./nbd-port.ts";

/** A server that says nothing for so long is given up. */
const patienceNs = 10 * second;
/** Nothing that a server says about an export is longer. */
const replyMaximum = 16384;
const leastBlock = 512;
/** What may be asked of a server that told no limits. */
const assumedMost = 32 << 20;
const exportNameAnswerBytes = 10;

const refusals: Readonly<Record<number, string>> = {
  [NbdOptionReply.unknown]: "the server has no export of this name",
  [NbdOptionReply.tlsRequired]: "the server wants TLS, which this client does not speak",
  [NbdOptionReply.policy]: "the server's policy forbids it",
  [NbdOptionReply.blockSizeRequired]: "the server has a block size of its own that it did not tell",
  [NbdOptionReply.shutdown]: "the server is shutting down",
};

export interface NbdImporterOptions extends KeptConnectionOptions {
  /** A fresh connection to the server; called for each attempt. */
  readonly connect: () => ByteStream;
  /** Default "": the server's default export. */
  readonly exportName?: string;
  /** Told of each disk, with a port that nobody has connected to yet. */
  readonly onAttach: (port: BlockPort) => void;
  /** What a block is to be. Default 512, or what the server asks for. */
  readonly blockBytes?: number;
  /** Asks for structured replies, whose errors do not end the connection. Default true. */
  readonly wantsStructured?: boolean;
}

/** Keeps one disk open. Each connection is a new port; its end is that port's surprise removal. */
export class NbdImporter {
  readonly #kept: KeptConnection;

  constructor(options: NbdImporterOptions) {
    this.#kept = new KeptConnection(options, (onEnd) => new NbdAttempt(options, onEnd));
  }

  /** Gives the disk back and does not come again. */
  stop(): void {
    this.#kept.stop();
  }
}

/** One connection: the handshake, then the port's messages. */
class NbdAttempt implements Attempt, ByteStreamClient {
  readonly #options: NbdImporterOptions;
  readonly #stream: ByteStream;
  readonly #onEnd: (reason: string) => void;
  readonly #timer: TimerHandle;
  readonly #input = new InputBuffer();
  #port: NbdPort | null = null;
  #state: "greeting" | "structured" | "go" | "name" = "greeting";
  #isOver = false;
  #isStructured = false;
  #zeroes = 0;
  #sizeBytes = -1;
  #flags = 0;
  #leastBytes = 1;
  #mostBytes = assumedMost;

  constructor(options: NbdImporterOptions, onEnd: (reason: string) => void) {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#timer = options.clock.after(patienceNs, () => this.#fail("the server does not answer"), undefined);
    this.#stream = options.connect();
    this.#stream.connect(this);
  }

  close(): void {
    if (this.#port !== null) this.#port.disconnect();
    else this.#stream.close();
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    try {
      if (this.#port !== null) {
        this.#port.received(bytes);
        return;
      }
      this.#input.push(bytes);
      while (this.#port === null && !this.#isOver && this.#readOn());
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof RangeError)) throw error;
      this.#fail(error.message);
    }
  }

  drained(): void {}

  closed(): void {
    this.#over(this.#port === null ? "the server closed the connection" : "the connection ended");
  }

  /** True when a whole message was taken. */
  #readOn(): boolean {
    const input = this.#input;
    const { bytes, start } = input;
    if (this.#state === "greeting") {
      if (input.available < nbdGreetingBytes) return false;
      const flags = decodeNbdGreeting(bytes, start);
      input.consume(nbdGreetingBytes);
      this.#greet(flags);
      return true;
    }
    if (this.#state === "name") {
      const total = exportNameAnswerBytes + this.#zeroes;
      if (input.available < total) return false;
      this.#sizeBytes = getU64be(bytes, start);
      this.#flags = (bytes[start + 8] << 8) | bytes[start + 9];
      input.consume(total);
      this.#attach();
      return false;
    }
    if (input.available < nbdOptionReplyHeaderBytes) return false;
    const { type, length } = decodeNbdOptionReply(bytes, start);
    if (length > replyMaximum) throw new DecodeError("NBD option reply", 16, `${length} bytes`);
    if (input.available < nbdOptionReplyHeaderBytes + length) return false;
    const from = start + nbdOptionReplyHeaderBytes;
    const data = bytes.slice(from, from + length);
    input.consume(nbdOptionReplyHeaderBytes + length);
    this.#readReply(type, data);
    return true;
  }

  #greet(flags: number): void {
    const noZeroes = flags & NbdHandshake.noZeroes;
    this.#zeroes = noZeroes === 0 ? 124 : 0;
    const answer = new Uint8Array(4);
    putU32be(answer, 0, (flags & NbdHandshake.fixedNewstyle) | noZeroes);
    this.#stream.write(answer);
    if ((flags & NbdHandshake.fixedNewstyle) === 0) this.#askByName();
    else if (this.#options.wantsStructured === false) this.#askToGo();
    else {
      this.#state = "structured";
      this.#stream.write(encodeNbdOption(NbdOption.structuredReply));
    }
  }

  #askToGo(): void {
    this.#state = "go";
    const name = this.#options.exportName ?? "";
    this.#stream.write(encodeNbdOption(NbdOption.go, encodeNbdInfoRequest(name, [NbdInfo.blockSize])));
  }

  #askByName(): void {
    this.#state = "name";
    this.#stream.write(encodeNbdOption(NbdOption.exportName, encodeUtf8(this.#options.exportName ?? "")));
  }

  #readReply(type: number, data: Uint8Array): void {
    if (this.#state === "structured") {
      this.#isStructured = type === NbdOptionReply.acknowledged;
      this.#askToGo();
    } else if (type === NbdOptionReply.info) this.#readInfo(data);
    else if (type === NbdOptionReply.acknowledged) {
      if (this.#sizeBytes < 0) throw new DecodeError("NBD option reply", 12, "no size was told");
      this.#attach();
    } else if (type === NbdOptionReply.unsupported) this.#askByName();
    else {
      const words = decodeUtf8(data).slice(0, 200);
      const known = refusals[type] ?? `the server refuses with 0x${type.toString(16)}`;
      this.#fail(words === "" ? known : `${known} (${words})`);
    }
  }

  #readInfo(data: Uint8Array): void {
    const kind = data.length >= 2 ? (data[0] << 8) | data[1] : -1;
    if (kind === NbdInfo.export && data.length === 12) {
      this.#sizeBytes = getU64be(data, 2);
      this.#flags = (data[10] << 8) | data[11];
    } else if (kind === NbdInfo.blockSize && data.length === 14) {
      this.#leastBytes = getU32be(data, 2);
      this.#mostBytes = getU32be(data, 10);
    }
  }

  #attach(): void {
    this.#options.clock.cancel(this.#timer);
    const port = new NbdPort(
      this.#stream,
      this.#options.clock,
      {
        sizeBytes: this.#sizeBytes,
        flags: this.#flags,
        leastBytes: this.#leastBytes,
        mostBytes: this.#mostBytes,
        isStructured: this.#isStructured,
      },
      this.#options.blockBytes ?? Math.max(leastBlock, this.#leastBytes),
    );
    this.#port = port;
    this.#options.onAttach(port);
  }

  #fail(reason: string): void {
    this.#over(reason);
    this.#stream.close();
  }

  #over(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.clock.cancel(this.#timer);
    this.#port?.over();
    this.#onEnd(reason);
  }
}
