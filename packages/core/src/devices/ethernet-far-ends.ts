// What can stand at the far end of a network cable: one that sends everything back, one that listens, one that answers.

import { macAddressBytes, maximumTaggedFrameBytes } from "../codec/ethernet/ethernet.ts";
import type { FrameTaker } from "../ports/ethernet.ts";

/** A station that sends every frame back to whom it came from. */
export class EchoStation implements FrameTaker {
  frames = 0;
  readonly #back: FrameTaker;
  readonly #frame = new Uint8Array(maximumTaggedFrameBytes);

  constructor(back: FrameTaker) {
    this.#back = back;
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (length > this.#frame.length) return;
    this.frames++;
    this.#frame.set(bytes.subarray(offset, offset + length));
    this.#frame.copyWithin(0, macAddressBytes, macAddressBytes * 2);
    this.#frame.set(bytes.subarray(offset, offset + macAddressBytes), macAddressBytes);
    this.#back.frame(this.#frame, 0, length);
  }
}

/** Hands every frame to a function and sends nothing by itself. */
export class ListeningStation implements FrameTaker {
  frames = 0;
  readonly #heard: FrameTaker["frame"];

  constructor(heard: FrameTaker["frame"] = () => {}) {
    this.#heard = heard;
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    this.frames++;
    this.#heard(bytes, offset, length);
  }
}
