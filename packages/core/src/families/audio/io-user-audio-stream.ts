// IOUserAudioStream: a ring of frames in memory that the audio server and the hardware share, and its format.

import { IOReturns } from "../../base/io-return.ts";
import type { IOMemoryDescriptor } from "../../runtime/memory.ts";
import {
  type IOUserAudioStreamBasicDescription,
  IOUserAudioStreamDirection,
  IOUserAudioStreamTerminalType,
  isSameFormat,
} from "./audio-format.ts";
import { type AudioObjectOwner, IOUserAudioObject } from "./io-user-audio-object.ts";

export class IOUserAudioStream extends IOUserAudioObject {
  readonly #direction: IOUserAudioStreamDirection;
  #memory: IOMemoryDescriptor;
  #format: IOUserAudioStreamBasicDescription | null = null;
  #available: readonly IOUserAudioStreamBasicDescription[] = [];
  #isActive = true;
  #terminalType: number = IOUserAudioStreamTerminalType.Unknown;
  #startingChannel = 1;
  #latency = 0;

  /** `memory` is the ring: the zero-timestamp period's frames. Samples are read and written in place; no call moves them. */
  constructor(driver: AudioObjectOwner, direction: IOUserAudioStreamDirection, memory: IOMemoryDescriptor) {
    super(driver);
    this.#direction = direction;
    this.#memory = memory;
  }

  async startIO(_flags: number): Promise<void> {}

  async stopIO(_flags: number): Promise<void> {}

  getStreamDirection(): IOUserAudioStreamDirection {
    return this.#direction;
  }

  get isOutput(): boolean {
    return this.#direction === IOUserAudioStreamDirection.Output;
  }

  getIOMemoryDescriptor(): IOMemoryDescriptor {
    return this.#memory;
  }

  setIOMemoryDescriptor(memory: IOMemoryDescriptor): void {
    this.#memory = memory;
  }

  setAvailableStreamFormats(formats: readonly IOUserAudioStreamBasicDescription[]): void {
    this.#available = [...formats];
  }

  getAvailableStreamFormats(): readonly IOUserAudioStreamBasicDescription[] {
    return this.#available;
  }

  /** kIOReturnBadArgument: not one of the available ones. */
  setCurrentStreamFormat(format: IOUserAudioStreamBasicDescription): void {
    if (!this.#available.some((known) => isSameFormat(known, format)))
      throw this.failure(IOReturns.kIOReturnBadArgument, "SetCurrentStreamFormat", `${format.sampleRate} Hz`);
    this.#format = format;
  }

  /** Null: none was set. */
  getCurrentStreamFormat(): IOUserAudioStreamBasicDescription | null {
    return this.#format;
  }

  /** The device runs at another rate: the format follows. kIOReturnUnsupported: it has none of that rate. */
  deviceSampleRateChanged(rate: number): void {
    if (this.#format === null || this.#format.sampleRate === rate) return;
    const wanted = { ...this.#format, sampleRate: rate };
    const format = this.#available.find((known) => isSameFormat(known, wanted));
    if (format === undefined)
      throw this.failure(IOReturns.kIOReturnUnsupported, "DeviceSampleRateChanged", `${rate} Hz`);
    this.#format = format;
  }

  setStreamIsActive(isActive: boolean): void {
    this.#isActive = isActive;
  }

  getStreamIsActive(): boolean {
    return this.#isActive;
  }

  async handleChangeStreamIsActive(isActive: boolean): Promise<void> {
    this.setStreamIsActive(isActive);
  }

  setTerminalType(type: number): void {
    this.#terminalType = type;
  }

  getTerminalType(): number {
    return this.#terminalType;
  }

  setStartingChannel(channel: number): void {
    this.#startingChannel = channel;
  }

  getStartingChannel(): number {
    return this.#startingChannel;
  }

  setLatency(frames: number): void {
    this.#latency = frames;
  }

  getLatency(): number {
    return this.#latency;
  }
}
