// A device as the personality asks for it, whose answers come from somebody else.

import { type Setup, StandardRequest } from "@drydock/core/codec/usb/setup";
import type { Properties } from "@drydock/core/platform/properties";
import { UsbNak, UsbStall } from "@drydock/core/ports/usb-device";
import { AskedDevice } from "./asked-device.ts";
import type { FuzzAnswer } from "./fuzz-input.ts";

/** null: the device has nothing more to say. */
export type NextAnswer = () => FuzzAnswer | null;

/** What every host asks of every device is answered rightly: without it no driver would start. */
export class FuzzedDevice extends AskedDevice {
  readonly #next: NextAnswer;

  constructor(asked: Properties, next: NextAnswer) {
    super(asked);
    this.#next = next;
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    if (setup.bRequest === StandardRequest.getDescriptor) return super.answerRequest(setup);
    const answer = this.#next();
    if (answer === null) return super.answerRequest(setup);
    return answer.kind === "stall" ? null : answer.bytes;
  }

  protected override performRequest(_setup: Setup, _data: Uint8Array): boolean {
    return this.#next()?.kind !== "stall";
  }

  protected override dataIn(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    const answer = this.#next();
    if (answer === null) return UsbNak;
    if (answer.kind === "stall") return UsbStall;
    const count = Math.min(length, answer.bytes.length);
    buffer.set(answer.bytes.subarray(0, count), offset);
    return count;
  }

  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    return length;
  }
}
