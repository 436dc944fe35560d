// The audio server at one device: starts it, follows its clock, writes ahead of it, reads behind it.

import type { Nanoseconds, TimerHandle } from "../../base/clock.ts";
import { formatReturn, type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { Machine } from "../../runtime/machine.ts";
import { type CallResult, callService } from "../../runtime/service-call.ts";
import { AudioClock } from "./audio-clock.ts";
import {
  IOUserAudioIOOperationBeginRead,
  IOUserAudioIOOperationWriteEnd,
  IOUserAudioStartStopFlags,
} from "./audio-format.ts";
import type { AudioServerSide, ZeroTimestamp } from "./io-user-audio-clock-device.ts";
import { IOUserAudioBooleanControl, IOUserAudioLevelControl } from "./io-user-audio-control.ts";
import type { IOUserAudioDevice } from "./io-user-audio-device.ts";
import type { IOUserAudioDriver } from "./io-user-audio-driver.ts";
import type { IOUserAudioStream } from "./io-user-audio-stream.ts";

/** Fills `into` with frames from `frame` on, in the stream's format, and answers how many there were. */
export type AudioSource = (frame: number, into: Uint8Array) => number;
/** Hears what was recorded: frames from `frame` of the device's clock on. The bytes are used again. */
export type AudioSink = (frame: number, bytes: Uint8Array) => void;

export interface AudioUse {
  readonly source?: AudioSource;
  readonly sink?: AudioSink;
  /** Frames that the server moves at once. Default 512. */
  readonly ioFrames?: number;
}

export type AudioState = "stopped" | "starting" | "running" | "stopping" | "changing" | "gone";

const usualIoFrames = 512;

/**
 * What an application does through the system's audio: one at a time. Nothing moves samples by a call: the server writes the
 * ring where the device will read it a little later, by the device's clock as zero timestamps tell it. How early Apple's server
 * writes beyond the safety offset is likely one of its own buffers, as here.
 */
export class AudioServerDevice implements AudioServerSide {
  readonly driver: IOUserAudioDriver;
  readonly device: IOUserAudioDevice;
  state: AudioState = "stopped";
  /** The last refusal, for people: "StartDevice failed with ...". */
  lastFailure: { readonly call: string; readonly status: IOReturn; readonly why: string } | null = null;
  /** Times that the server came too late to write where the device was about to read. */
  overloads = 0;
  /** In frames of the device's clock: where the source's first frame was written; null before. */
  firstSampleTime: number | null = null;
  /** Frames of the source that were written. */
  framesWritten = 0;
  /** The source gave fewer frames than it was asked for: it has ended. */
  isSourceDone = false;
  inputSampleTime = 0;
  outputSampleTime = 0;
  clock: AudioClock | null = null;
  readonly #machine: Machine;
  #use: AudioUse = {};
  #ioFrames = usualIoFrames;
  #output: IOUserAudioStream | null = null;
  #input: IOUserAudioStream | null = null;
  #block = new Uint8Array(0);
  #timer: TimerHandle = 0;

  constructor(machine: Machine, driver: IOUserAudioDriver, device: IOUserAudioDevice) {
    this.#machine = machine;
    this.driver = driver;
    this.device = device;
    device.serverSide = this;
  }

  get name(): string {
    return this.device.getName() || this.device.getUID();
  }

  get isGone(): boolean {
    return this.state === "gone";
  }

  /** Begins I/O: false when it cannot now. What comes of it shows in `state`, and in `lastFailure` when that is "stopped" again. */
  start(use: AudioUse): boolean {
    if (this.state !== "stopped") return false;
    this.#use = use;
    this.#ioFrames = use.ioFrames ?? usualIoFrames;
    this.overloads = 0;
    this.firstSampleTime = null;
    this.framesWritten = 0;
    this.isSourceDone = use.source === undefined;
    this.state = "starting";
    this.lastFailure = null;
    this.#machine.kernelProcess.spawn(`audio server: start ${this.name}`, () => this.#start());
    return true;
  }

  /** Ends I/O. What has been written and not played is lost. */
  stop(): void {
    if (this.state !== "running") return;
    this.state = "stopping";
    this.#cancelCycle();
    this.#machine.kernelProcess.spawn(`audio server: stop ${this.name}`, async () => {
      await this.#stopDevice();
      if (this.state === "stopping") this.state = "stopped";
    });
  }

  /** An application wants another rate. */
  setSampleRate(rate: number): void {
    this.#machine.kernelProcess.spawn("audio server: sample rate", async () => {
      await this.#call("HandleChangeSampleRate", () => this.device.handleChangeSampleRate(rate));
    });
  }

  /** An application turns the device's volume, in decibels, or its mute switch. False: it has none. */
  setVolume(decibel: number): boolean {
    const control = this.device.controls.find((each) => each instanceof IOUserAudioLevelControl);
    if (control === undefined) return false;
    this.#machine.kernelProcess.spawn("audio server: volume", async () => {
      await this.#call("HandleChangeDecibelValue", () => control.handleChangeDecibelValue(decibel));
    });
    return true;
  }

  setMute(isMuted: boolean): boolean {
    const control = this.device.controls.find((each) => each instanceof IOUserAudioBooleanControl);
    if (control === undefined) return false;
    this.#machine.kernelProcess.spawn("audio server: mute", async () => {
      await this.#call("HandleChangeControlValue", () => control.handleChangeControlValue(isMuted));
    });
    return true;
  }

  /** Frames of the device's clock that have been played by now, as far as its timestamps say. */
  get playedSampleTime(): number {
    return this.clock?.isRunning === true ? this.clock.sampleAt(this.#machine.scheduler.nowNs()) : 0;
  }

  /** Every frame of the source has been written and, by the device's clock, played. */
  get isDrained(): boolean {
    if (!this.isSourceDone || this.firstSampleTime === null) return false;
    return this.playedSampleTime >= this.firstSampleTime + this.framesWritten;
  }

  /** The family's side: the driver has gone. */
  left(): void {
    this.#cancelCycle();
    this.state = "gone";
  }

  // The device's side.

  zeroTimestamp(timestamp: ZeroTimestamp): void {
    const { clock } = this;
    if (clock === null) return;
    const isFirst = !clock.isRunning;
    clock.add(timestamp);
    if (this.state !== "running") return;
    if (isFirst) this.#beginCycles();
    else if (this.#timer !== 0) {
      // What was planned by the old idea of the clock may be too late by the new one.
      this.#cancelCycle();
      this.#scheduleCycle();
    }
  }

  configurationChange(action: number, info: unknown): void {
    this.#machine.kernelProcess.spawn("audio server: configuration change", () => this.#change(action, info));
  }

  // Starting and stopping.

  async #start(): Promise<void> {
    const { device } = this;
    const problem = this.#takeStreams();
    if (problem !== null) {
      this.#fail("StartIO", IOReturns.kIOReturnBadArgument, problem);
      return;
    }
    this.clock = new AudioClock(
      device.getSampleRate(),
      device.getZeroTimestampPeriod(),
      device.getClockAlgorithm(),
    );
    const { status, why } = await this.#call("StartDevice", () =>
      this.driver.startDevice(device.getObjectID(), IOUserAudioStartStopFlags.None),
    );
    if (this.isGone) return;
    if (status !== IOReturns.kIOReturnSuccess) {
      this.#fail("StartDevice", status, why);
      return;
    }
    this.state = "running";
    if (this.clock.isRunning) this.#beginCycles();
  }

  /** The rings, as they are now. The reason why there can be no I/O, or null. */
  #takeStreams(): string | null {
    const { device } = this;
    const active = device.streams.filter((stream) => stream.getStreamIsActive());
    this.#output = active.find((stream) => stream.isOutput) ?? null;
    this.#input = active.find((stream) => !stream.isOutput) ?? null;
    if (this.#use.source !== undefined && this.#output === null)
      return "the device has no active output stream";
    if (this.#use.sink !== undefined && this.#input === null) return "the device has no active input stream";
    const period = device.getZeroTimestampPeriod();
    for (const stream of active) {
      const format = stream.getCurrentStreamFormat();
      if (format === null) return "a stream has no format";
      if (format.sampleRate !== device.getSampleRate())
        return `the device runs at ${device.getSampleRate()} Hz and a stream at ${format.sampleRate} Hz`;
      const frames = stream.getIOMemoryDescriptor().length / format.bytesPerFrame;
      if (frames !== period) return `a ring of ${frames} frames, and a zero-timestamp period of ${period}`;
    }
    const lead = this.#ioFrames + device.getOutputSafetyOffset();
    if (lead + this.#ioFrames > period)
      return `${this.#ioFrames} frames and a safety offset of ${device.getOutputSafetyOffset()} do not fit a ring of ${period}`;
    const bytesPerFrame = Math.max(
      ...active.map((stream) => stream.getCurrentStreamFormat()?.bytesPerFrame ?? 0),
      1,
    );
    this.#block = new Uint8Array(this.#ioFrames * bytesPerFrame);
    return null;
  }

  async #stopDevice(): Promise<void> {
    const { status, why } = await this.#call("StopDevice", () =>
      this.driver.stopDevice(this.device.getObjectID(), IOUserAudioStartStopFlags.None),
    );
    if (status !== IOReturns.kIOReturnSuccess) this.lastFailure = { call: "StopDevice", status, why };
  }

  async #change(action: number, info: unknown): Promise<void> {
    const { device } = this;
    const wasRunning = this.state === "running";
    if (!wasRunning && this.state !== "stopped") {
      await this.#call("AbortDeviceConfigurationChange", () =>
        device.abortDeviceConfigurationChange(action, info),
      );
      return;
    }
    this.state = "changing";
    this.#cancelCycle();
    if (wasRunning) await this.#stopDevice();
    device.isChanging = true;
    const { status, why } = await this.#call("PerformDeviceConfigurationChange", () =>
      device.performDeviceConfigurationChange(action, info),
    );
    device.isChanging = false;
    if (this.isGone) return;
    if (status !== IOReturns.kIOReturnSuccess)
      this.lastFailure = { call: "PerformDeviceConfigurationChange", status, why };
    this.state = wasRunning ? "starting" : "stopped";
    if (wasRunning) await this.#start();
  }

  #fail(call: string, status: IOReturn, why: string): void {
    this.lastFailure = { call, status, why };
    this.state = "stopped";
    this.#machine.log.kernel(
      `audio server: ${call} of ${this.name} failed with ${formatReturn(status)}${why === "" ? "" : `: ${why}`}`,
    );
  }

  #call(method: string, body: () => Promise<void>): Promise<CallResult<void>> {
    return callService(this.#machine.scheduler, this.driver, method, this.#machine.messageDelayNs(), body);
  }

  // I/O: one cycle for each `ioFrames` of the device's clock.

  #beginCycles(): void {
    const { clock, device } = this;
    if (clock === null || this.state !== "running" || this.#timer !== 0) return;
    const frames = this.#ioFrames;
    const now = clock.sampleAt(this.#nowNs());
    // The first block that can still be written in time.
    this.outputSampleTime = Math.ceil((now + device.getOutputSafetyOffset()) / frames) * frames;
    this.inputSampleTime = Math.max(0, Math.floor((now - device.getInputSafetyOffset()) / frames) * frames);
    this.#scheduleCycle();
  }

  #scheduleCycle(): void {
    const { clock, device } = this;
    if (clock === null) return;
    // A block's length early, beside what the hardware fetches ahead.
    const wakeAt = this.outputSampleTime - device.getOutputSafetyOffset() - this.#ioFrames;
    const wakeNs = Math.ceil(clock.hostTimeOf(wakeAt));
    const delay = Math.max(0, wakeNs - this.#nowNs());
    this.#timer = this.#machine.scheduler.after(delay, cycle, this as AudioServerDevice);
  }

  #cancelCycle(): void {
    this.#machine.scheduler.cancel(this.#timer);
    this.#timer = 0;
  }

  /** Called by the clock. */
  cycle(): void {
    this.#timer = 0;
    const { clock, device } = this;
    if (clock === null || this.state !== "running" || !this.driver.process.isAlive) return;
    const frames = this.#ioFrames;
    const now = clock.sampleAt(this.#nowNs());
    if (this.outputSampleTime - device.getOutputSafetyOffset() < now) {
      this.overloads++;
      this.outputSampleTime = Math.ceil((now + device.getOutputSafetyOffset()) / frames) * frames;
    }
    if (this.#output !== null) this.#write(this.#output, frames);
    this.outputSampleTime += frames;
    if (this.#input !== null) this.#read(this.#input, now, frames);
    this.#scheduleCycle();
  }

  #write(stream: IOUserAudioStream, frames: number): void {
    const block = this.#block;
    const { source } = this.#use;
    const bytesPerFrame = stream.getCurrentStreamFormat()?.bytesPerFrame ?? 1;
    let filled = 0;
    if (source !== undefined && !this.isSourceDone) {
      filled = Math.max(
        0,
        Math.min(frames, source(this.framesWritten, block.subarray(0, frames * bytesPerFrame))),
      );
      if (filled > 0) this.firstSampleTime ??= this.outputSampleTime;
      this.isSourceDone = filled < frames;
      this.framesWritten += filled;
    }
    block.fill(0, filled * bytesPerFrame, frames * bytesPerFrame);
    this.#each(
      stream,
      this.outputSampleTime,
      frames * bytesPerFrame,
      bytesPerFrame,
      (ring, at, done, count) => ring.set(block.subarray(done, done + count), at),
    );
    this.#tell(IOUserAudioIOOperationWriteEnd, frames, this.outputSampleTime);
  }

  /** What is complete behind the hardware. */
  #read(stream: IOUserAudioStream, now: number, frames: number): void {
    const bytesPerFrame = stream.getCurrentStreamFormat()?.bytesPerFrame ?? 1;
    const block = this.#block.subarray(0, frames * bytesPerFrame);
    while (this.inputSampleTime + frames + this.device.getInputSafetyOffset() <= now) {
      this.#tell(IOUserAudioIOOperationBeginRead, frames, this.inputSampleTime);
      this.#each(stream, this.inputSampleTime, block.length, bytesPerFrame, (ring, at, done, count) =>
        block.set(ring.subarray(at, at + count), done),
      );
      this.#use.sink?.(this.inputSampleTime, block);
      this.inputSampleTime += frames;
    }
  }

  /** The one or two pieces of a ring in which so many bytes lie from a sample time on. */
  #each(
    stream: IOUserAudioStream,
    sampleTime: number,
    lengthBytes: number,
    bytesPerFrame: number,
    act: (ring: Uint8Array, at: number, done: number, count: number) => void,
  ): void {
    const ring = stream.getIOMemoryDescriptor().bytes;
    let at = (sampleTime * bytesPerFrame) % ring.length;
    for (let done = 0; done < lengthBytes; ) {
      const count = Math.min(ring.length - at, lengthBytes - done);
      act(ring, at, done, count);
      done += count;
      at = (at + count) % ring.length;
    }
  }

  #tell(operation: number, frames: number, sampleTime: number): void {
    const handler = this.device.ioOperationHandler;
    if (handler === null) return;
    const hostTimeNs = Math.round(this.clock?.hostTimeOf(sampleTime) ?? 0);
    this.driver.process.spawn("audio I/O", () =>
      handler(this.device.getObjectID(), operation, frames, sampleTime, hostTimeNs),
    );
  }

  #nowNs(): Nanoseconds {
    return this.#machine.scheduler.nowNs();
  }
}

function cycle(device: AudioServerDevice): void {
  device.cycle();
}
