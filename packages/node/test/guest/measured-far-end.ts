// The far end of a serial wire that keeps count: what it heard as a hash, what it says from a seed.

import { createHash } from "node:crypto";
import type { Clock } from "@drydock/core/base/clock";
import { Random } from "@drydock/core/base/random";
import type { SerialFarEnd, Uart } from "@drydock/core/devices/uart";

const pieceBytes = 2048;
const pauseNs = 1_000_000;

/** Takes all that comes. Says only what the chip has room for, so nothing is lost. */
export class MeasuredFarEnd implements SerialFarEnd {
  readonly baudRate = null;
  readonly #clock: Clock;
  readonly #heard = createHash("sha256");
  #uart: Uart | null = null;
  heardBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** SHA-256 of all it heard; call once. */
  heardHash(): string {
    return this.#heard.digest("hex");
  }

  /** Begins to say `length` bytes; answers their SHA-256. */
  say(length: number, seed: number): string {
    const random = new Random(seed);
    const bytes = Uint8Array.from({ length }, () => random.below(256));
    let at = 0;
    const sayOn = (): void => {
      const count = Math.min(this.#uart?.receiveRoom() ?? 0, pieceBytes, length - at);
      if (count > 0) this.#uart?.receive(bytes, at, count);
      at += count;
      if (at < length) this.#clock.after(count > 0 ? 0 : pauseNs, sayOn, undefined);
    };
    this.#clock.after(0, sayOn, undefined);
    return createHash("sha256").update(bytes).digest("hex");
  }

  connect(uart: Uart): void {
    this.#uart = uart;
  }

  room(): number {
    return 1 << 20;
  }

  receive(bytes: Uint8Array, offset: number, length: number): void {
    this.#heard.update(bytes.subarray(offset, offset + length));
    this.heardBytes += length;
  }

  linesChanged(): void {}
  breakChanged(): void {}
}
