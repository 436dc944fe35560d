// IOUserAudioDevice: a clock with streams. The audio server reads and writes their rings; the device keeps the time.

import { IOReturns } from "../../base/io-return.ts";
import { IOUserAudioClockDevice } from "./io-user-audio-clock-device.ts";
import type { IOUserAudioStream } from "./io-user-audio-stream.ts";

/**
 * On a thread of real time: just before the server reads input, just after it wrote output. No allocation, no lock and no
 * call into another process there.
 */
export type IOOperationHandler = (
  device: number,
  operation: number,
  frames: number,
  sampleTime: number,
  hostTimeNs: number,
) => void;

export class IOUserAudioDevice extends IOUserAudioClockDevice {
  readonly streams: IOUserAudioStream[] = [];
  ioOperationHandler: IOOperationHandler | null = null;
  #outputSafetyOffset = 0;
  #inputSafetyOffset = 0;
  #canBeDefaultOutput = false;
  #canBeDefaultInput = false;

  /** kIOReturnBadArgument: it is there already. */
  addStream(stream: IOUserAudioStream): void {
    if (this.streams.includes(stream))
      throw this.failure(IOReturns.kIOReturnBadArgument, "AddStream", `stream ${stream.getObjectID()}`);
    this.streams.push(stream);
    stream.ownerObjectID = this.getObjectID();
  }

  removeStream(stream: IOUserAudioStream): void {
    const at = this.streams.indexOf(stream);
    if (at < 0)
      throw this.failure(IOReturns.kIOReturnNotFound, "RemoveStream", `stream ${stream.getObjectID()}`);
    this.streams.splice(at, 1);
    stream.ownerObjectID = 0;
  }

  /** Streams first: then the clock may run. */
  override async startIO(flags: number): Promise<void> {
    for (const stream of this.streams) if (stream.getStreamIsActive()) await stream.startIO(flags);
    await super.startIO(flags);
  }

  override async stopIO(flags: number): Promise<void> {
    await super.stopIO(flags);
    for (const stream of this.streams) if (stream.getStreamIsActive()) await stream.stopIO(flags);
  }

  setIOOperationHandler(handler: IOOperationHandler): void {
    this.ioOperationHandler = handler;
  }

  /** Frames that the hardware fetches ahead of what it plays: the server writes no later than that before. */
  setOutputSafetyOffset(frames: number): void {
    this.#outputSafetyOffset = frames;
  }

  getOutputSafetyOffset(): number {
    return this.#outputSafetyOffset;
  }

  setInputSafetyOffset(frames: number): void {
    this.#inputSafetyOffset = frames;
  }

  getInputSafetyOffset(): number {
    return this.#inputSafetyOffset;
  }

  setCanBeDefaultOutputDevice(can: boolean): void {
    this.#canBeDefaultOutput = can;
  }

  canBeDefaultOutputDevice(): boolean {
    return this.#canBeDefaultOutput;
  }

  setCanBeDefaultInputDevice(can: boolean): void {
    this.#canBeDefaultInput = can;
  }

  canBeDefaultInputDevice(): boolean {
    return this.#canBeDefaultInput;
  }

  protected override sampleRateChanged(rate: number): void {
    for (const stream of this.streams) stream.deviceSampleRateChanged(rate);
  }
}
