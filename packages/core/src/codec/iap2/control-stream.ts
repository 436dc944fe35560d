// A control session as a stream: messages that span packets or share one, and messages that wait for the window.

import { getU16be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { decodeControlMessage, encodeControlMessage, type Iap2ControlMessage } from "./control-message.ts";
import type { Iap2Link } from "./iap2-link.ts";

const headerBytes = 6;
const noBytes = new Uint8Array(0);
/** Who lets so many messages wait does not read: nothing is kept for it without end. */
const mostWaiting = 64;

/** Cuts messages out of payloads. Holds less than one message, so at most 64 KiB. */
export class ControlReader {
  #waiting = noBytes;

  /** `heard` gets each whole message, `problem` what is none; a message behind a damaged one is heard. */
  take(
    payload: Uint8Array,
    heard: (message: Iap2ControlMessage) => void,
    problem: (text: string) => void,
  ): void {
    const all = new Uint8Array(this.#waiting.length + payload.length);
    all.set(this.#waiting);
    all.set(payload, this.#waiting.length);
    let at = 0;
    while (all.length - at >= headerBytes) {
      const length = getU16be(all, at + 2);
      // Where a message begins is known from the one before only: the rest of this is nobody's.
      const isLost = all[at] !== 0x40 || all[at + 1] !== 0x40 || length < headerBytes;
      if (!isLost && all.length - at < length) break;
      const bytes = all.subarray(at, isLost ? all.length : at + length);
      at += bytes.length;
      try {
        heard(decodeControlMessage(bytes));
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        problem(error.message);
      }
    }
    this.#waiting = all.slice(at);
  }

  clear(): void {
    this.#waiting = noBytes;
  }
}

/** Messages on their way into a link's window, in as many packets as they need. */
export class ControlBacklog {
  #waiting: Uint8Array[] = [];

  /** False: the other end has let too many wait. RangeError: longer than a message can be. */
  add(message: Iap2ControlMessage): boolean {
    if (this.#waiting.length >= mostWaiting) return false;
    this.#waiting.push(encodeControlMessage(message));
    return true;
  }

  /** Gives the link what its window takes. True: nothing waits. */
  push(link: Iap2Link | null, session: number): boolean {
    if (link === null || !link.isEstablished) return this.#waiting.length === 0;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const part = first.subarray(0, link.maximumPayloadBytes);
      if (!link.send(session, part)) return false;
      if (part.length < first.length) this.#waiting[0] = first.subarray(part.length);
      else this.#waiting.shift();
    }
    return true;
  }

  clear(): void {
    this.#waiting = [];
  }
}
