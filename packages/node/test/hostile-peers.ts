// What the tests of hostile peers share: a stream in the test's hand, a client that counts, mutation, collection.

import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Random } from "@drydock/core/base/random";
import type { ByteStream, ByteStreamClient } from "@drydock/core/ports/byte-stream";
import type { UsbHostClient } from "@drydock/core/ports/usb-host";

/** One end of a connection whose other end is the test. */
export class TestStream implements ByteStream {
  client: ByteStreamClient | null = null;
  sent: Uint8Array[] = [];
  sentBytes = 0;
  isClosed = false;

  connect(client: ByteStreamClient): void {
    this.client = client;
  }
  write(bytes: Uint8Array): boolean {
    this.sent.push(bytes);
    this.sentBytes += bytes.length;
    return true;
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.isClosed = true;
  }
  takeSent(): Uint8Array {
    const all = new Uint8Array(this.sentBytes);
    let at = 0;
    for (const part of this.sent) {
      all.set(part, at);
      at += part.length;
    }
    this.sent = [];
    this.sentBytes = 0;
    return all;
  }
}

/** Notices completions that nobody waits for, and a detachment that comes too early. */
export class QuietClient implements UsbHostClient {
  readonly open = new Set<number>();
  ended = 0;
  isDetached = false;
  completed(slot: number): void {
    assert.ok(this.open.delete(slot), `slot ${slot} completed without having been submitted`);
    this.ended++;
  }
  detached(): void {
    assert.equal(this.open.size, 0, "everything completes before the detachment");
    this.isDetached = true;
  }
}

/** Parts of a recording, joined. */
export const whole = (parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

/** Changes one to three bytes somewhere, or a whole word to an extreme. */
export function mutate(bytes: Uint8Array, random: Random): void {
  for (let count = random.between(1, 3); count > 0; count--) {
    const at = random.below(bytes.length);
    if (random.chance(0.7)) bytes[at] ^= 1 << random.below(8);
    else bytes.fill(random.chance(0.5) ? 0xff : 0, at, Math.min(bytes.length, at + 4));
  }
}

/** A full collection, so that only what is kept counts. V8 makes the function in contexts begun after the flag. */
export function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
