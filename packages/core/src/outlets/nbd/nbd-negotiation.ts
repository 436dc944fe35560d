// The handshake of one NBD connection: fixed newstyle, options until the client has chosen an export.

import { getU32be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { InputBuffer } from "../../base/input-buffer.ts";
import { decodeUtf8 } from "../../base/text.ts";
import {
  decodeNbdInfoRequest,
  decodeNbdMetaQuery,
  decodeNbdOption,
  encodeNbdBlockSizeInfo,
  encodeNbdExportInfo,
  encodeNbdGreeting,
  encodeNbdListEntry,
  encodeNbdMetaContext,
  encodeNbdOptionReply,
  encodeNbdTextInfo,
  NbdFlag,
  NbdHandshake,
  NbdInfo,
  NbdOption,
  NbdOptionReply,
  nbdAllocationContext,
  nbdExportNameZeroes,
  nbdOptionHeaderBytes,
  nbdStringMaximum,
} from "../../codec/nbd/nbd.ts";
import { type NbdExport, nbdPayloadMaximum } from "./nbd-export.ts";
import { nbdAllocationContextId } from "./nbd-transmission.ts";

/** Longer option data are read over and refused. */
const optionDataMaximum = 65536;
/** A client that asks more often than this is not haggling. */
const optionMaximum = 512;
const preferredBlock = 4096;
const clientFlagBytes = 4;

/** What a connection may offer and do about it. */
export interface NegotiationOptions {
  readonly exports: ReadonlyMap<string, NbdExport>;
  readonly write: (bytes: Uint8Array) => void;
  /** `none`: no TLS here. `require`: nothing is told without it. */
  readonly tls: "none" | "offer" | "require";
  /** The connection has been secured already. */
  readonly isSecure: boolean;
  readonly onSecure: () => void;
  readonly onChosen: (choice: NbdChoice) => void;
  /** The connection is to be closed. */
  readonly onEnd: (reason: string) => void;
}

/** How the transmission phase begins. */
export interface NbdChoice {
  readonly exported: NbdExport;
  readonly isStructured: boolean;
  readonly hasAllocation: boolean;
  /** What the client sent after its choice. */
  readonly rest: Uint8Array;
}

/** Give it what comes; it ends by exactly one of `onSecure`, `onChosen` and `onEnd`. */
export class NbdNegotiation {
  readonly #options: NegotiationOptions;
  readonly #input = new InputBuffer();
  #clientFlags = -1;
  #optionCount = 0;
  #isStructured = false;
  /** Export for which base:allocation was chosen. */
  #allocationOf: string | null = null;
  #skipBytes = 0;
  #skipped = 0;
  #isOver = false;

  constructor(options: NegotiationOptions) {
    this.#options = options;
  }

  /** After STARTTLS the client begins with options: the greeting was before. */
  static secured(options: NegotiationOptions, clientFlags: number): NbdNegotiation {
    const negotiation = new NbdNegotiation(options);
    negotiation.#clientFlags = clientFlags;
    return negotiation;
  }

  get clientFlags(): number {
    return this.#clientFlags;
  }

  greet(): void {
    this.#options.write(encodeNbdGreeting(NbdHandshake.fixedNewstyle | NbdHandshake.noZeroes));
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#input.push(bytes);
    try {
      while (!this.#isOver && this.#readOne());
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#end(error.message);
    }
  }

  /** True when something was taken and more may follow. */
  #readOne(): boolean {
    const input = this.#input;
    if (this.#clientFlags < 0) return this.#readFlags();
    if (this.#skipBytes > 0) {
      const count = Math.min(this.#skipBytes, input.available);
      input.consume(count);
      this.#skipBytes -= count;
      if (this.#skipBytes === 0) this.#reply(this.#skipped, NbdOptionReply.tooBig);
      return this.#skipBytes === 0;
    }
    if (input.available < nbdOptionHeaderBytes) return false;
    const { option, length } = decodeNbdOption(input.bytes, input.start);
    if (length > optionDataMaximum) {
      if (option === NbdOption.exportName)
        throw new DecodeError("NBD option", 12, `a name of ${length} bytes`);
      input.consume(nbdOptionHeaderBytes);
      this.#skipBytes = length;
      this.#skipped = option;
      this.#count();
      return true;
    }
    if (input.available < nbdOptionHeaderBytes + length) return false;
    const data = input.bytes.slice(
      input.start + nbdOptionHeaderBytes,
      input.start + nbdOptionHeaderBytes + length,
    );
    input.consume(nbdOptionHeaderBytes + length);
    this.#count();
    if (!this.#isOver) this.#answer(option, data);
    return true;
  }

  #readFlags(): boolean {
    const input = this.#input;
    if (input.available < clientFlagBytes) return false;
    const flags = getU32be(input.bytes, input.start);
    input.consume(clientFlagBytes);
    if ((flags & ~(NbdHandshake.fixedNewstyle | NbdHandshake.noZeroes)) !== 0) {
      this.#end(`unknown client flags 0x${flags.toString(16)}`);
      return false;
    }
    this.#clientFlags = flags;
    return true;
  }

  #count(): void {
    if (++this.#optionCount > optionMaximum) this.#end(`more than ${optionMaximum} options`);
  }

  #answer(option: number, data: Uint8Array): void {
    const { tls, isSecure } = this.#options;
    const needsTls = tls === "require" && !isSecure;
    if (option === NbdOption.abort) {
      this.#reply(option, NbdOptionReply.acknowledged);
      this.#end("aborted the handshake");
    } else if (option === NbdOption.startTls) this.#startTls(data);
    else if (needsTls && option === NbdOption.exportName) this.#end("needs TLS first");
    else if (needsTls) this.#reply(option, NbdOptionReply.tlsRequired);
    else {
      try {
        this.#answerOpen(option, data);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        this.#reply(option, NbdOptionReply.invalid);
      }
    }
  }

  /** Options that need no TLS, or have it. */
  #answerOpen(option: number, data: Uint8Array): void {
    switch (option) {
      case NbdOption.exportName:
        this.#exportName(data);
        break;
      case NbdOption.list:
        this.#list(data);
        break;
      case NbdOption.info:
      case NbdOption.go:
        this.#go(option, data);
        break;
      case NbdOption.structuredReply:
        if (data.length > 0) this.#reply(option, NbdOptionReply.invalid);
        else {
          this.#isStructured = true;
          this.#reply(option, NbdOptionReply.acknowledged);
        }
        break;
      case NbdOption.listMetaContext:
      case NbdOption.setMetaContext:
        this.#metaContext(option, data);
        break;
      default:
        this.#reply(option, NbdOptionReply.unsupported);
    }
  }

  #startTls(data: Uint8Array): void {
    const { tls, isSecure, onSecure } = this.#options;
    if (data.length > 0 || isSecure) this.#reply(NbdOption.startTls, NbdOptionReply.invalid);
    else if (tls === "none") this.#reply(NbdOption.startTls, NbdOptionReply.unsupported);
    else if (this.#input.available > 0) {
      // Whatever was slipped in before the encryption must not count after it.
      this.#end("sent something between STARTTLS and its answer");
    } else {
      this.#reply(NbdOption.startTls, NbdOptionReply.acknowledged);
      this.#isOver = true;
      onSecure();
    }
  }

  #list(data: Uint8Array): void {
    if (data.length > 0) {
      this.#reply(NbdOption.list, NbdOptionReply.invalid);
      return;
    }
    for (const { name, description } of this.#options.exports.values())
      this.#reply(NbdOption.list, NbdOptionReply.server, encodeNbdListEntry(name, description));
    this.#reply(NbdOption.list, NbdOptionReply.acknowledged);
  }

  /** The empty name is the default export: the one called so, else the first. */
  #find(name: string): NbdExport | undefined {
    const { exports } = this.#options;
    const found = exports.get(name);
    return found === undefined && name === "" ? exports.values().next().value : found;
  }

  #exportName(data: Uint8Array): void {
    const name = decodeUtf8(data.subarray(0, nbdStringMaximum));
    const exported = this.#find(name);
    if (exported === undefined || data.length > nbdStringMaximum) {
      this.#end(`asked for ${JSON.stringify(name.slice(0, 64))}, which is not here`);
      return;
    }
    // The same fields as EXPORT information, without its kind; sendDf needs structured replies.
    const fields = encodeNbdExportInfo(exported.sizeBytes, this.#flagsOf(exported)).subarray(2);
    const zeroes = (this.#clientFlags & NbdHandshake.noZeroes) !== 0 ? 0 : nbdExportNameZeroes;
    const bytes = new Uint8Array(fields.length + zeroes);
    bytes.set(fields);
    this.#options.write(bytes);
    this.#choose(exported);
  }

  #go(option: number, data: Uint8Array): void {
    const { name, kinds } = decodeNbdInfoRequest(data);
    const exported = this.#find(name);
    if (exported === undefined) {
      this.#reply(option, NbdOptionReply.unknown);
      return;
    }
    const info = (bytes: Uint8Array) => this.#reply(option, NbdOptionReply.info, bytes);
    info(encodeNbdExportInfo(exported.sizeBytes, this.#flagsOf(exported)));
    if (kinds.includes(NbdInfo.name)) info(encodeNbdTextInfo(NbdInfo.name, exported.name));
    if (kinds.includes(NbdInfo.description) && exported.description !== "")
      info(encodeNbdTextInfo(NbdInfo.description, exported.description));
    const least = exported.blockBytes;
    info(encodeNbdBlockSizeInfo(least, Math.max(least, preferredBlock), nbdPayloadMaximum));
    this.#reply(option, NbdOptionReply.acknowledged);
    if (option === NbdOption.go) this.#choose(exported);
  }

  #flagsOf(exported: NbdExport): number {
    return this.#isStructured ? exported.flags : exported.flags & ~NbdFlag.sendDf;
  }

  #metaContext(option: number, data: Uint8Array): void {
    const { name, queries } = decodeNbdMetaQuery(data);
    const isList = option === NbdOption.listMetaContext;
    if (!this.#isStructured && !isList) {
      this.#reply(option, NbdOptionReply.invalid);
      return;
    }
    const exported = this.#find(name);
    if (exported === undefined) {
      this.#reply(option, NbdOptionReply.unknown);
      return;
    }
    const isAsked = queries.includes(nbdAllocationContext);
    const isListed = isList && (queries.length === 0 || queries.includes("base:"));
    if (!isList) this.#allocationOf = isAsked ? exported.name : null;
    if (isAsked || isListed)
      this.#reply(
        option,
        NbdOptionReply.metaContext,
        encodeNbdMetaContext(isList ? 0 : nbdAllocationContextId, nbdAllocationContext),
      );
    this.#reply(option, NbdOptionReply.acknowledged);
  }

  #choose(exported: NbdExport): void {
    this.#isOver = true;
    const { bytes, start, end } = this.#input;
    this.#options.onChosen({
      exported,
      isStructured: this.#isStructured,
      hasAllocation: this.#allocationOf === exported.name,
      rest: bytes.slice(start, end),
    });
  }

  #reply(option: number, type: number, data?: Uint8Array): void {
    this.#options.write(encodeNbdOptionReply(option, type, data));
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd(reason);
  }
}
