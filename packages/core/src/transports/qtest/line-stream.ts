// Lines of text over a byte stream, with a bound: what qtest and QMP are made of.

import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";

/** Longer lines end the connection: nobody here sends them. */
const lineMaximum = 1 << 20;

export interface LineClient {
  line(text: string): void;
  /** Comes once; `reason` says why. */
  closed(reason: string): void;
}

export class LineStream implements ByteStreamClient {
  readonly #stream: ByteStream;
  readonly #client: LineClient;
  #rest = "";
  #isClosed = false;
  #pending = "";
  /** Writes of one turn leave together. */
  readonly #schedule: (flush: () => void) => void;

  constructor(stream: ByteStream, client: LineClient, schedule: (flush: () => void) => void) {
    this.#stream = stream;
    this.#client = client;
    this.#schedule = schedule;
    stream.connect(this);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(line: string): void {
    if (this.#isClosed) return;
    if (this.#pending === "") this.#schedule(this.#flush);
    this.#pending += `${line}\n`;
  }

  close(): void {
    this.#flush();
    this.#stream.close();
  }

  received(bytes: Uint8Array): void {
    // Both protocols are ASCII; anything else is refused by who reads the line.
    let text = this.#rest;
    for (const byte of bytes) text += String.fromCharCode(byte);
    const lines = text.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (this.#isClosed) return;
      this.#client.line(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    if (this.#rest.length > lineMaximum) this.#end("it sent a line without an end");
  }

  drained(): void {}

  closed(): void {
    this.#end("the connection was closed");
  }

  #end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.close();
    this.#client.closed(reason);
  }

  readonly #flush = (): void => {
    const text = this.#pending;
    if (text === "" || this.#isClosed) return;
    this.#pending = "";
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    this.#stream.write(bytes);
  };
}
