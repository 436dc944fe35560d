// usbredir packets out of the bytes of a stream, whichever side reads them.

import { DecodeError } from "../base/errors.ts";
import { InputBuffer } from "../base/input-buffer.ts";
import {
  readUsbredirHeader,
  type UsbredirHeader,
  type UsbredirId,
  usbredirHeaderBytes,
  usbredirHelloHeaderBytes,
} from "../codec/usbredir/usbredir.ts";
import {
  checkUsbredirHeader,
  decodeUsbredir,
  type UsbredirMessage,
} from "../codec/usbredir/usbredir-messages.ts";

/** Push what came; take packets until there is none. The other side's hello is first and comes once. */
export class UsbredirReader {
  readonly #sender: "guest" | "host";
  readonly #announced: number;
  readonly #input = new InputBuffer();
  readonly #header: UsbredirHeader = { type: 0, length: 0, id: 0 };
  #capabilities: number | null = null;

  /** `announced`: what this side's hello has said it can. */
  constructor(sender: "guest" | "host", announced: number) {
    this.#sender = sender;
    this.#announced = announced;
  }

  /** The agreed ones; null until the other side has said hello. */
  get capabilities(): number | null {
    return this.#capabilities;
  }

  /** Of the packet that `next` has answered last. */
  get id(): UsbredirId {
    return this.#header.id;
  }

  push(bytes: Uint8Array): void {
    this.#input.push(bytes);
  }

  /** Forgets what is not taken. */
  clear(): void {
    this.#input.clear();
  }

  /**
   * The next whole packet, null when there is none yet. Its data are a view that the next `push` may overwrite. Throws
   * DecodeError for what is no packet, for one out of turn, and as soon as a header names a length that it cannot have.
   */
  next(): UsbredirMessage | null {
    const input = this.#input;
    const capabilities = this.#capabilities ?? 0;
    const headerBytes =
      this.#capabilities === null ? usbredirHelloHeaderBytes : usbredirHeaderBytes(capabilities);
    if (input.available < headerBytes) return null;
    const header = this.#header;
    const { bytes, start } = input;
    readUsbredirHeader(bytes, start, capabilities, header);
    const kind = checkUsbredirHeader(header, capabilities);
    if ((kind === "hello") !== (this.#capabilities === null)) {
      throw new DecodeError("usbredir packet", 0, `${kind} out of turn: hello comes first and once`);
    }
    const total = headerBytes + header.length;
    if (input.available < total) return null;
    const message = decodeUsbredir(kind, header, bytes, start, capabilities, this.#sender);
    if (message.kind === "hello") this.#capabilities = message.capabilities & this.#announced;
    input.consume(total);
    return message;
  }
}
