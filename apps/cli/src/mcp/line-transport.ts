// Standard input and output as a client's wire: a JSON-RPC message a line; what is none is answered, too.

import type { Readable, Writable } from "node:stream";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  ErrorCode,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  type RequestId,
} from "@modelcontextprotocol/sdk/types.js";

/** Bytes of a message; a longer line is refused, and read past. */
export const longestMessage = 1 << 20;

export class LineTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #input: Readable;
  readonly #output: Writable;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isClosed = false;
  /** Requests that are not answered yet: the end of the input waits for them, so that a pipe is answered, too. */
  readonly #asked = new Set<RequestId>();
  #isEnding = false;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
  }

  async start(): Promise<void> {
    this.#input.on("data", (piece: Buffer) => this.#read(piece));
    this.#input.on("error", (error) => this.onerror?.(error));
    this.#input.on("end", () => {
      this.#isEnding = true;
      void this.#endWhenAnswered();
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#write(message);
    if (!("method" in message) && message.id !== undefined) this.#asked.delete(message.id);
    await this.#endWhenAnswered();
  }

  async #endWhenAnswered(): Promise<void> {
    if (this.#isEnding && this.#asked.size === 0) await this.close();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#input.pause();
    this.onclose?.();
  }

  #read(piece: Buffer): void {
    let from = 0;
    for (let end = piece.indexOf(10); end !== -1 && !this.#isClosed; end = piece.indexOf(10, from)) {
      this.#hold(piece.subarray(from, end));
      const { isWhole, line } = this.#take();
      from = end + 1;
      if (!isWhole) this.#refuse(ErrorCode.InvalidRequest, `a message has at most ${longestMessage} bytes`);
      else if (line.trim() !== "") this.#hear(line);
    }
    this.#hold(piece.subarray(from));
  }

  #hold(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > longestMessage) this.#pieces = [];
    else this.#pieces.push(part);
  }

  #take(): { readonly isWhole: boolean; readonly line: string } {
    const taken = {
      isWhole: this.#bytes <= longestMessage,
      line: Buffer.concat(this.#pieces).toString("utf8"),
    };
    this.#pieces = [];
    this.#bytes = 0;
    return taken;
  }

  #hear(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#refuse(ErrorCode.ParseError, "that line is no JSON");
      return;
    }
    const message = JSONRPCMessageSchema.safeParse(value);
    if (message.success) {
      if ("method" in message.data && "id" in message.data) this.#asked.add(message.data.id);
      // What is taken back is never answered.
      const { method, params } = message.data as { method?: string; params?: { requestId?: RequestId } };
      if (method === "notifications/cancelled" && params?.requestId !== undefined)
        this.#asked.delete(params.requestId);
      this.onmessage?.(message.data);
    } else this.#refuse(ErrorCode.InvalidRequest, "that line is no JSON-RPC 2.0 message", idOf(value));
  }

  /** JSON-RPC 2.0 §5.1: null where the id cannot be told. */
  #refuse(code: ErrorCode, message: string, id: string | number | null = null): void {
    this.#write({ jsonrpc: "2.0", id, error: { code, message } });
  }

  #write(message: unknown): void {
    if (!this.#isClosed) this.#output.write(`${JSON.stringify(message)}\n`);
  }
}

function idOf(value: unknown): string | number | null {
  const id = typeof value === "object" && value !== null && "id" in value ? value.id : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}
