// Data of External Accessory sessions on their way into a link's window, for both of its ends.

import { getU16be, putU16be } from "../../base/bytes.ts";
import type { Iap2Link } from "./iap2-link.ts";

/** Each payload begins with the number of its session. */
export const sessionNumberBytes = 2;

/** Null: too short to name a session. `bytes` is a view of `payload`. */
export function readSessionData(payload: Uint8Array): { session: number; bytes: Uint8Array } | null {
  if (payload.length < sessionNumberBytes) return null;
  return { session: getU16be(payload, 0), bytes: payload.subarray(sessionNumberBytes) };
}

/** Payloads that wait for room; `left` hears of each that a link has taken, in order. */
export class SessionBacklog {
  readonly #left: (session: number, count: number) => void;
  #waiting: { readonly session: number; readonly payload: Uint8Array }[] = [];

  constructor(left: (session: number, count: number) => void) {
    this.#left = left;
  }

  add(session: number, bytes: Uint8Array): void {
    const payload = new Uint8Array(sessionNumberBytes + bytes.length);
    putU16be(payload, 0, session);
    payload.set(bytes, sessionNumberBytes);
    this.#waiting.push({ session, payload });
  }

  /** Gives the link what its window takes. */
  push(link: Iap2Link | null, linkSession: number): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (link?.send(linkSession, next.payload) !== true) return;
      this.#waiting.shift();
      this.#left(next.session, next.payload.length - sessionNumberBytes);
    }
  }

  /** A session is over: what of it has not left never will. */
  forget(session: number): void {
    this.#waiting = this.#waiting.filter((entry) => entry.session !== session);
  }

  clear(): void {
    this.#waiting = [];
  }
}
