// AC'97 audio as Intel's ICH has it: codec, three bus master engines, one interrupt line, two I/O ranges.

import type { Clock, Nanoseconds } from "../../base/clock.ts";
import { millisecond } from "../../base/units.ts";
import {
  Ac97Control,
  Ac97Global,
  Ac97GlobalStatus,
  ac97ClassCode,
  ac97ColdResetReleased,
  ac97DeviceId,
  ac97EngineBytes,
  ac97VendorId,
} from "../../codec/ac97/ac97.ts";
import { PciCommand } from "../../codec/pci/config-space.ts";
import { PciFunctionModel } from "../pci-function-model.ts";
import { Ac97EngineModel, framesNs } from "./ac97-engine.ts";
import { Ac97MixerModel } from "./ac97-mixer.ts";

export interface Ac97Options {
  readonly clock: Clock;
  /** How far its crystal is off, parts in a million. Default 0. */
  readonly partsPerMillion?: number;
  /** Hears what leaves the converter: frames of left and right, 16 bits each. The bytes are used again. */
  readonly onPlayed?: (bytes: Uint8Array) => void;
  /** What comes in: fills frames of left and right. Default silence. */
  readonly record?: (into: Uint8Array) => void;
}

/** How long the codec takes to answer after its reset. */
const codecReadyNs = 1 * millisecond;
const mixerBar = 0;
const noDecoderBytes = 0x80;

/** What the bench hears of the hardware, beside the samples. */
export interface Ac97Hearing {
  /** Frames that left the converter. */
  frames: number;
  /** Times that a run reached its last valid buffer. */
  ranDry: number;
  /** Frames played as silence because the memory was refused. */
  refusedFrames: number;
}

export class Ac97Device extends PciFunctionModel {
  readonly hearing: Ac97Hearing = { frames: 0, ranDry: 0, refusedFrames: 0 };
  readonly options: Ac97Options;
  readonly mixer = new Ac97MixerModel();
  readonly #pcmIn: Ac97EngineModel;
  readonly #pcmOut: Ac97EngineModel;
  readonly #microphone: Ac97EngineModel;
  #globalControl = 0;
  #isSemaphoreTaken = false;
  #readyNs: Nanoseconds = Number.POSITIVE_INFINITY;

  constructor(options: Ac97Options) {
    super({
      vendorId: ac97VendorId,
      deviceId: ac97DeviceId,
      revision: 1,
      classCode: ac97ClassCode,
      bars: [
        { index: 0, kind: "io", lengthBytes: 1024 },
        { index: 1, kind: "io", lengthBytes: 256 },
      ],
      hasLine: true,
    });
    this.options = options;
    this.#pcmIn = this.#engine("adcRate", true);
    this.#pcmOut = this.#engine("frontRate", false);
    this.#microphone = this.#engine("adcRate", true);
  }

  get isEngineOn(): boolean {
    return this.#engines.some((engine) => engine.isOn);
  }

  get #engines(): readonly Ac97EngineModel[] {
    return [this.#pcmIn, this.#pcmOut, this.#microphone];
  }

  protected override registerRead(bar: number, offset: number, sizeBytes: number): number {
    if (bar === mixerBar) {
      this.#isSemaphoreTaken = false;
      // The codec answers words; what is not decoded reads as ones.
      return sizeBytes === 2 && offset < noDecoderBytes && this.#isReady
        ? this.mixer.read(offset)
        : 0xffffffff;
    }
    let value = 0;
    for (let at = sizeBytes - 1; at >= 0; at--) value = value * 256 + this.#readByte(offset + at);
    return value;
  }

  protected override registerWrite(bar: number, offset: number, sizeBytes: number, value: number): void {
    if (bar === mixerBar) {
      this.#isSemaphoreTaken = false;
      if (sizeBytes === 2 && offset < noDecoderBytes && this.#isReady)
        this.mixer.write(offset, value & 0xffff);
      return;
    }
    if (offset === Ac97Global.control && sizeBytes === 4) {
      this.#setGlobalControl(value);
      return;
    }
    for (let at = 0; at < sizeBytes; at++) this.#writeByte(offset + at, (value >>> (at * 8)) & 0xff);
  }

  protected override functionReset(): void {
    for (const engine of this.#engines) engine.reset();
    this.mixer.reset();
    this.#globalControl = 0;
    this.#readyNs = Number.POSITIVE_INFINITY;
    this.#isSemaphoreTaken = false;
    this.setLine(false);
  }

  protected override linkLost(): void {
    this.functionReset();
  }

  get #isReady(): boolean {
    return this.options.clock.nowNs() >= this.#readyNs;
  }

  /** PCI 3.0 §6.2.2: what the command register has to allow first. */
  #engineStarted(control: number): void {
    const { command } = this;
    if ((command & PciCommand.busMaster) === 0)
      this.misused("the engine was started while bus master is off: it fetches nothing (PCI 3.0 §6.2.2)");
    const interrupts =
      Ac97Control.bufferInterrupt | Ac97Control.lastBufferInterrupt | Ac97Control.fifoInterrupt;
    if ((control & interrupts) !== 0 && (command & PciCommand.interruptDisable) !== 0)
      this.misused(
        "interrupts were asked for while the command register disables the pin (PCI 3.0 §6.2.2, bit 10)",
      );
  }

  #engine(rate: "adcRate" | "frontRate", isRecording: boolean): Ac97EngineModel {
    const device = this;
    const { clock, onPlayed, partsPerMillion = 0, record } = this.options;
    return new Ac97EngineModel(
      {
        clock,
        get upstream() {
          return device.upstream;
        },
        framesNs: (frames) => framesNs(frames, this.mixer[rate], partsPerMillion),
        interruptChanged: () => this.#updateLine(),
        framesPassed: (bytes, lengthBytes, isFetched) => {
          if (isRecording) {
            if (record === undefined) bytes.fill(0);
            else record(bytes);
            return;
          }
          this.mixer.play(bytes, lengthBytes);
          this.hearing.frames += lengthBytes / 4;
          if (!isFetched) this.hearing.refusedFrames += lengthBytes / 4;
          onPlayed?.(bytes.subarray(0, lengthBytes));
        },
        started: (control) => this.#engineStarted(control),
        misused: (text) => this.misused(text),
        ranDry: () => {
          this.hearing.ranDry++;
        },
      },
      isRecording,
    );
  }

  #readByte(offset: number): number {
    const engine = this.#engines[(offset / ac97EngineBytes) | 0];
    if (engine !== undefined && offset < Ac97Global.control) return engine.read(offset % ac97EngineBytes);
    const at = (value: number, register: number): number => (value >>> ((offset - register) * 8)) & 0xff;
    if (offset >= Ac97Global.control && offset < Ac97Global.status)
      return at(this.#globalControl, Ac97Global.control);
    if (offset >= Ac97Global.status && offset < Ac97Global.semaphore)
      return at(this.#globalStatus, Ac97Global.status);
    if (offset !== Ac97Global.semaphore) return 0;
    // Reading a free semaphore takes it; the next codec access gives it back.
    const wasTaken = this.#isSemaphoreTaken;
    this.#isSemaphoreTaken = true;
    return wasTaken ? 1 : 0;
  }

  #writeByte(offset: number, value: number): void {
    const engine = this.#engines[(offset / ac97EngineBytes) | 0];
    if (engine !== undefined && offset < Ac97Global.control) engine.write(offset % ac97EngineBytes, value);
  }

  #setGlobalControl(value: number): void {
    const wasReleased = (this.#globalControl & ac97ColdResetReleased) !== 0;
    this.#globalControl = value & 0x3f;
    const isReleased = (value & ac97ColdResetReleased) !== 0;
    if (isReleased && !wasReleased) this.#readyNs = this.options.clock.nowNs() + codecReadyNs;
    if (!isReleased) {
      this.#readyNs = Number.POSITIVE_INFINITY;
      this.mixer.reset();
      for (const engine of this.#engines) engine.reset();
    }
    this.#updateLine();
  }

  get #globalStatus(): number {
    return (
      (this.#pcmIn.isInterrupting ? Ac97GlobalStatus.pcmInInterrupt : 0) |
      (this.#pcmOut.isInterrupting ? Ac97GlobalStatus.pcmOutInterrupt : 0) |
      (this.#microphone.isInterrupting ? Ac97GlobalStatus.microphoneInterrupt : 0) |
      (this.#isReady ? Ac97GlobalStatus.codecReady : 0)
    );
  }

  #updateLine(): void {
    this.setLine(this.#engines.some((engine) => engine.isInterrupting));
  }
}
