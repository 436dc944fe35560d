// Messages in a stream that has no boundaries: a length of two bytes before each, big-endian.

import { getU16be, putU16be } from "../base/bytes.ts";

const lengthBytes = 2;
export const longestFramedMessage = 0xffff;
const noBytes = new Uint8Array(0);

/** Throws RangeError for a message that its length cannot name. */
export function framed(message: Uint8Array): Uint8Array {
  if (message.length > longestFramedMessage)
    throw new RangeError(`a message has at most ${longestFramedMessage} bytes, not ${message.length}`);
  const bytes = new Uint8Array(lengthBytes + message.length);
  putU16be(bytes, 0, message.length);
  bytes.set(message, lengthBytes);
  return bytes;
}

/** Puts pieces of a stream, cut anywhere, together to messages. Holds less than one message. */
export class FramedReader {
  #inHand = noBytes;

  /** The messages that are whole now, in order; an empty one is one. They are the caller's. */
  take(bytes: Uint8Array): Uint8Array[] {
    const all = new Uint8Array(this.#inHand.length + bytes.length);
    all.set(this.#inHand);
    all.set(bytes, this.#inHand.length);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (all.length - at >= lengthBytes) {
      const length = getU16be(all, at);
      if (all.length - at - lengthBytes < length) break;
      messages.push(all.slice(at + lengthBytes, at + lengthBytes + length));
      at += lengthBytes + length;
    }
    this.#inHand = all.slice(at);
    return messages;
  }

  /** Bytes of a message that is not whole. */
  get pending(): number {
    return this.#inHand.length;
  }

  /** The stream is over: what is in hand never becomes a message. */
  clear(): void {
    this.#inHand = noBytes;
  }
}
