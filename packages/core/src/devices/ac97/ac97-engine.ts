// One of AC'97's bus master engines: a list of buffers, fetched as fast as the codec's clock wants samples.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import {
  Ac97Control,
  Ac97Register,
  Ac97Status,
  ac97ControlMask,
  ac97Entries,
  ac97EntryBytes,
  ac97StatusClearable,
  newAc97Buffer,
  readAc97Buffer,
} from "../../codec/ac97/ac97.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";

/** Frames that the FIFO takes at once: what a driver's safety offset has to cover. */
export const ac97FifoFrames = 64;
export const ac97FrameBytes = 4;
const second = 1e9;

/** What an engine needs of its function. */
export interface Ac97EngineHost {
  readonly clock: Clock;
  readonly upstream: PciUpstream | null;
  /** Nanoseconds that pass while the codec plays so many frames. */
  framesNs(frames: number): number;
  /** Status or control changed what the interrupt line should be. */
  interruptChanged(): void;
  /**
   * Frames passed: an engine that plays has them in `bytes`, one that records wants them there. `isFetched`: false when the
   * memory was refused, and what is played is silence.
   */
  framesPassed(bytes: Uint8Array, lengthBytes: number, isFetched: boolean): void;
  /** The last valid buffer ended while the engine should have run on. */
  ranDry(): void;
  /** The engine begins to run, with these bits of its control register. */
  started(control: number): void;
  /** See PciUpstream.misused. */
  misused(text: string): void;
}

export class Ac97EngineModel {
  readonly #host: Ac97EngineHost;
  readonly #isRecording: boolean;
  #listAddress = 0;
  #currentIndex = 0;
  #lastValidIndex = 0;
  #status: number = Ac97Status.halted;
  #control = 0;
  /** Of 16 bits, in the buffer under way. */
  #samplesLeft = 0;
  #address = 0;
  readonly #buffer = newAc97Buffer();
  readonly #entry = new Uint8Array(ac97EntryBytes);
  readonly #bytes = new Uint8Array(ac97FifoFrames * ac97FrameBytes);
  #timer: TimerHandle = 0;
  /** Since the run began, so that rounding does not add up. */
  #startNs = 0;
  #frames = 0;
  /** Has run since its last reset: it may hold what it has fetched. */
  #hasRun = false;

  constructor(host: Ac97EngineHost, isRecording: boolean) {
    this.#host = host;
    this.#isRecording = isRecording;
  }

  /** It fetches, or would as soon as another buffer is valid. */
  get isOn(): boolean {
    return (this.#control & Ac97Control.run) !== 0;
  }

  get isInterrupting(): boolean {
    const status = this.#status;
    const control = this.#control;
    return (
      ((status & Ac97Status.bufferDone) !== 0 && (control & Ac97Control.bufferInterrupt) !== 0) ||
      ((status & Ac97Status.lastBufferDone) !== 0 && (control & Ac97Control.lastBufferInterrupt) !== 0) ||
      ((status & Ac97Status.fifoError) !== 0 && (control & Ac97Control.fifoInterrupt) !== 0)
    );
  }

  reset(): void {
    this.#hasRun = false;
    this.#halt();
    this.#listAddress = 0;
    this.#currentIndex = 0;
    this.#lastValidIndex = 0;
    this.#status = Ac97Status.halted;
    this.#control = 0;
    this.#samplesLeft = 0;
  }

  /** A byte of its sixteen. */
  read(offset: number): number {
    const at = (value: number, register: number): number => (value >>> ((offset - register) * 8)) & 0xff;
    if (offset < Ac97Register.currentIndex) return at(this.#listAddress, Ac97Register.listAddress);
    switch (offset) {
      case Ac97Register.currentIndex:
        return this.#currentIndex;
      case Ac97Register.lastValidIndex:
        return this.#lastValidIndex;
      case Ac97Register.status:
        return this.#status;
      case Ac97Register.samplesLeft:
      case Ac97Register.samplesLeft + 1:
        return at(this.#samplesLeft, Ac97Register.samplesLeft);
      case Ac97Register.prefetchedIndex:
        return (this.#currentIndex + 1) % ac97Entries;
      case Ac97Register.control:
        return this.#control;
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    if (offset < Ac97Register.currentIndex) {
      const shift = offset * 8;
      if (this.#hasRun)
        this.#host.misused(
          "the buffer list's address was written to an engine that has run and was not reset (Intel 82801AA AC'97: PCM out control, bit 1: reset)",
        );
      // Entries are eight bytes, and so is the list's alignment.
      this.#listAddress = ((this.#listAddress & ~(0xff << shift)) | (value << shift)) >>> 0;
      this.#listAddress = (this.#listAddress & ~7) >>> 0;
      return;
    }
    if (offset === Ac97Register.lastValidIndex) {
      this.#lastValidIndex = value % ac97Entries;
      // A run that stands at the end of its list goes on with the next buffer.
      if (
        this.isOn &&
        (this.#status & Ac97Status.halted) !== 0 &&
        this.#lastValidIndex !== this.#currentIndex
      ) {
        this.#status &= ~(Ac97Status.halted | Ac97Status.currentIsLast);
        this.#currentIndex = (this.#currentIndex + 1) % ac97Entries;
        this.#begin();
      }
    } else if (offset === Ac97Register.status) {
      this.#status &= ~(value & ac97StatusClearable);
      this.#host.interruptChanged();
    } else if (offset === Ac97Register.control) this.#setControl(value);
  }

  #setControl(value: number): void {
    const wasOn = this.isOn;
    this.#control = value & ac97ControlMask & ~Ac97Control.reset;
    if ((value & Ac97Control.reset) !== 0 && !wasOn) {
      this.reset();
    } else if (this.isOn && !wasOn) {
      this.#hasRun = true;
      this.#host.started(this.#control);
      this.#status &= ~(Ac97Status.halted | Ac97Status.currentIsLast);
      this.#begin();
    } else if (!this.isOn && wasOn) {
      this.#halt();
      this.#status |= Ac97Status.halted;
    }
    this.#host.interruptChanged();
  }

  #halt(): void {
    this.#host.clock.cancel(this.#timer);
    this.#timer = 0;
  }

  #begin(): void {
    if (this.#samplesLeft === 0 && !this.#fetchEntry()) return;
    this.#startNs = this.#host.clock.nowNs();
    this.#frames = 0;
    this.#timer = this.#host.clock.after(0, fill, this as Ac97EngineModel);
  }

  /** The entry of the current index. False: nobody lets it read its list, and it stands still with an error. */
  #fetchEntry(): boolean {
    const at = this.#listAddress + this.#currentIndex * ac97EntryBytes;
    if (this.#host.upstream?.read(at, this.#entry, 0, ac97EntryBytes) !== true) {
      this.#halt();
      this.#status |= Ac97Status.halted | Ac97Status.fifoError;
      this.#host.interruptChanged();
      return false;
    }
    readAc97Buffer(this.#entry, 0, this.#buffer);
    this.#samplesLeft = this.#buffer.samples;
    this.#address = this.#buffer.address;
    return true;
  }

  /** The FIFO has room for its next frames. Called by the clock. */
  fill(): void {
    const { clock } = this.#host;
    this.#timer = 0;
    const wanted = this.#bytes.length;
    let filled = 0;
    let isFetched = true;
    if (this.#isRecording) this.#host.framesPassed(this.#bytes, wanted, true);
    while (filled < wanted) {
      const count = Math.min(wanted - filled, this.#samplesLeft * 2);
      if (count > 0 && !this.#move(filled, count)) isFetched = false;
      filled += count;
      this.#address += count;
      this.#samplesLeft -= count / 2;
      if (this.#samplesLeft === 0 && !this.#bufferEnded()) break;
    }
    if (!this.#isRecording) this.#host.framesPassed(this.#bytes, filled, isFetched);
    if (!isFetched) this.#status |= Ac97Status.fifoError;
    this.#frames += filled / ac97FrameBytes;
    this.#host.interruptChanged();
    if ((this.#status & Ac97Status.halted) !== 0 || !this.isOn) return;
    const due = this.#startNs + Math.round(this.#host.framesNs(this.#frames));
    this.#timer = clock.after(Math.max(1, due - clock.nowNs()), fill, this as Ac97EngineModel);
  }

  #move(at: number, count: number): boolean {
    const { upstream } = this.#host;
    if (this.#isRecording) {
      upstream?.write(this.#address, this.#bytes, at, count);
      return true;
    }
    if (upstream?.read(this.#address, this.#bytes, at, count) === true) return true;
    this.#bytes.fill(0, at, at + count);
    return false;
  }

  /** False: it was the last valid one, and the engine stands. */
  #bufferEnded(): boolean {
    const isLast = this.#currentIndex === this.#lastValidIndex;
    if (this.#buffer.isInterrupting) this.#status |= Ac97Status.bufferDone;
    if (isLast) {
      this.#status |= Ac97Status.halted | Ac97Status.currentIsLast | Ac97Status.lastBufferDone;
      this.#host.ranDry();
      return false;
    }
    this.#currentIndex = (this.#currentIndex + 1) % ac97Entries;
    return this.#fetchEntry();
  }
}

function fill(engine: Ac97EngineModel): void {
  engine.fill();
}

/** Nanoseconds of so many frames at a rate, with a crystal that is off by so many parts in a million. */
export function framesNs(frames: number, rate: number, partsPerMillion: number): number {
  return (frames * second) / (rate * (1 + partsPerMillion / 1e6));
}
