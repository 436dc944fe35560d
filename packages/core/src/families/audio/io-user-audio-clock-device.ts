// IOUserAudioClockDevice: something that keeps time in samples, and tells the audio server so once each period.

import type { Nanoseconds } from "../../base/clock.ts";
import { IOReturns } from "../../base/io-return.ts";
import {
  IOUserAudioClockAlgorithm,
  IOUserAudioReservedConfigChangeAction,
  IOUserAudioTransportType,
} from "./audio-format.ts";
import type { IOUserAudioControl } from "./io-user-audio-control.ts";
import { type AudioObjectOwner, IOUserAudioObject } from "./io-user-audio-object.ts";

export interface AudioDeviceDescription {
  readonly uid: string;
  readonly modelUID: string;
  readonly manufacturerUID: string;
  /** Frames from one zero timestamp to the next: the ring's length. */
  readonly zeroTimestampPeriod: number;
  readonly supportsPrewarming?: boolean;
}

/** A pair of the device's clock and the machine's. */
export interface ZeroTimestamp {
  /** Frames since the run began: a multiple of the period. */
  readonly sampleTime: number;
  readonly hostTimeNs: Nanoseconds;
}

/** The audio server, as a device sees it. */
export interface AudioServerSide {
  zeroTimestamp(timestamp: ZeroTimestamp): void;
  /** Frames up to which the server has read and written the ring. */
  readonly inputSampleTime: number;
  readonly outputSampleTime: number;
  /** A change that needs I/O to stand still. */
  configurationChange(action: number, info: unknown): void;
}

/**
 * Subclasses override `startIO` and `stopIO` and call super in them. What the getters answer is what was set; setters that
 * change timing are for `performDeviceConfigurationChange`, while I/O stands still.
 */
export class IOUserAudioClockDevice extends IOUserAudioObject {
  readonly description: AudioDeviceDescription;
  serverSide: AudioServerSide | null = null;
  /** The driver's, as the server asked last. */
  isRunning = false;
  /** The server has stopped I/O and is asking for a change. */
  isChanging = false;
  readonly controls: IOUserAudioControl[] = [];
  #period: number;
  #sampleRate = 0;
  #availableRates: readonly number[] = [];
  #transportType: number = IOUserAudioTransportType.Unknown;
  #clockAlgorithm: number = IOUserAudioClockAlgorithm.SimpleIIR;
  #clockDomain = 0;
  #clockIsStable = true;
  #isAlive = true;
  #outputLatency = 0;
  #inputLatency = 0;
  #timestamp: ZeroTimestamp = { sampleTime: 0, hostTimeNs: 0 };

  constructor(driver: AudioObjectOwner, description: AudioDeviceDescription) {
    super(driver);
    const { uid, zeroTimestampPeriod } = description;
    if (uid === "" || !Number.isInteger(zeroTimestampPeriod) || zeroTimestampPeriod < 1)
      throw driver.failure(
        IOReturns.kIOReturnBadArgument,
        "IOUserAudioClockDevice.Create",
        `uid "${uid}", a period of ${zeroTimestampPeriod} frames`,
      );
    this.description = description;
    this.#period = zeroTimestampPeriod;
  }

  /** The server wants it to run. A rejection refuses; I/O does not start. */
  async startIO(_flags: number): Promise<void> {}

  async stopIO(_flags: number): Promise<void> {}

  getUID(): string {
    return this.description.uid;
  }

  getZeroTimestampPeriod(): number {
    return this.#period;
  }

  /** kIOReturnNotPermitted: the server's I/O is not standing still for a change. */
  setZeroTimeStampPeriod(frames: number): void {
    if (!this.isChanging && this.serverSide !== null)
      throw this.failure(
        IOReturns.kIOReturnNotPermitted,
        "SetZeroTimeStampPeriod",
        "outside PerformDeviceConfigurationChange",
      );
    if (!Number.isInteger(frames) || frames < 1)
      throw this.failure(IOReturns.kIOReturnBadArgument, "SetZeroTimeStampPeriod", `${frames} frames`);
    this.#period = frames;
  }

  setSampleRate(rate: number): void {
    if (!(rate > 0)) throw this.failure(IOReturns.kIOReturnBadArgument, "SetSampleRate", `${rate}`);
    this.#sampleRate = rate;
    this.sampleRateChanged(rate);
    this.driver.propertiesChanged(this.getObjectID());
  }

  getSampleRate(): number {
    return this.#sampleRate;
  }

  setAvailableSampleRates(rates: readonly number[]): void {
    this.#availableRates = [...rates];
  }

  getAvailableSampleRates(): readonly number[] {
    return this.#availableRates;
  }

  setTransportType(type: number): void {
    this.#transportType = type;
  }

  getTransportType(): number {
    return this.#transportType;
  }

  setClockAlgorithm(algorithm: number): void {
    this.#clockAlgorithm = algorithm;
  }

  getClockAlgorithm(): number {
    return this.#clockAlgorithm;
  }

  setClockDomain(domain: number): void {
    this.#clockDomain = domain;
  }

  getClockDomain(): number {
    return this.#clockDomain;
  }

  setClockIsStable(isStable: boolean): void {
    this.#clockIsStable = isStable;
  }

  getClockIsStable(): boolean {
    return this.#clockIsStable;
  }

  setDeviceIsAlive(isAlive: boolean): void {
    this.#isAlive = isAlive;
    this.driver.propertiesChanged(this.getObjectID());
  }

  getDeviceIsAlive(): boolean {
    return this.#isAlive;
  }

  setOutputLatency(frames: number): void {
    this.#outputLatency = frames;
  }

  getOutputLatency(): number {
    return this.#outputLatency;
  }

  setInputLatency(frames: number): void {
    this.#inputLatency = frames;
  }

  getInputLatency(): number {
    return this.#inputLatency;
  }

  addControl(control: IOUserAudioControl): void {
    this.controls.push(control);
    control.ownerObjectID = this.getObjectID();
  }

  removeControl(control: IOUserAudioControl): void {
    const at = this.controls.indexOf(control);
    if (at < 0) throw this.failure(IOReturns.kIOReturnNotFound, "RemoveControl", control.getName());
    this.controls.splice(at, 1);
  }

  /**
   * At each wrap of the ring, from the interrupt: `sampleTime` goes up by the period exactly, `hostTimeNs` is when the
   * interrupt was, not when the call is.
   */
  updateCurrentZeroTimestamp(sampleTime: number, hostTimeNs: Nanoseconds): void {
    this.#timestamp = { sampleTime, hostTimeNs };
    this.serverSide?.zeroTimestamp(this.#timestamp);
  }

  getCurrentZeroTimestamp(): ZeroTimestamp {
    return this.#timestamp;
  }

  /** How far the server has read and written, in frames of the device's clock. */
  getCurrentClientSampleTime(): { readonly input: number; readonly output: number } {
    return {
      input: this.serverSide?.inputSampleTime ?? 0,
      output: this.serverSide?.outputSampleTime ?? 0,
    };
  }

  /** Asks the server to stop I/O, to call `performDeviceConfigurationChange` with these, and to start again. */
  requestDeviceConfigurationChange(action: number, info: unknown): void {
    if (this.serverSide === null)
      throw this.failure(IOReturns.kIOReturnNotReady, "RequestDeviceConfigurationChange");
    this.serverSide.configurationChange(action, info);
  }

  /** I/O stands still. The default knows the sample rate. */
  async performDeviceConfigurationChange(action: number, info: unknown): Promise<void> {
    if (action === IOUserAudioReservedConfigChangeAction.SampleRate && typeof info === "number")
      this.setSampleRate(info);
    else
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "PerformDeviceConfigurationChange",
        `action ${action}`,
      );
  }

  /** The change will not be made. */
  async abortDeviceConfigurationChange(_action: number, _info: unknown): Promise<void> {}

  /** An application wants another rate. kIOReturnUnsupported: not one of the available ones. */
  async handleChangeSampleRate(rate: number): Promise<void> {
    if (!this.#availableRates.includes(rate))
      throw this.failure(IOReturns.kIOReturnUnsupported, "HandleChangeSampleRate", `${rate}`);
    this.requestDeviceConfigurationChange(IOUserAudioReservedConfigChangeAction.SampleRate, rate);
  }

  /** For devices with streams. */
  protected sampleRateChanged(_rate: number): void {}
}
