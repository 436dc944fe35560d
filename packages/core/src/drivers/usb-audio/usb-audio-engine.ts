// Packets of one USB audio stream: between a ring of frames and an isochronous pipe, a few transfers ahead of the wire.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { microsecond, second } from "../../base/units.ts";
import { decodeFeedback, fullSpeedFrames, highSpeedFrames } from "../../codec/uac/uac.ts";
import type { IOUserAudioDevice } from "../../families/audio/io-user-audio-device.ts";
import type { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import { type IOUSBHostPipe, kIOUSBAbortSynchronous } from "../../families/usb/io-usb-host-pipe.ts";
import { type IOUSBIsochronousFrame, newIsochronousFrame } from "../../families/usb/usb-isochronous.ts";
import type { OSAction } from "../../runtime/action.ts";
import { cancelAndWait } from "../../runtime/dispatch-source.ts";
import {
  type IOBufferMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";

/** How long a transfer lasts, and how many are under way. */
const transferNs = 8000 * microsecond;
export const transfersAhead = 4;
/** Endpoints of high speed and above have a packet in each microframe. */
const highSpeed = 3;
/** The method whose queue completions come on. */
export const audioCompletion = "CompleteAsyncIsochIO";

export interface AudioEngineOptions {
  readonly driver: IOService;
  readonly audio: IOUserAudioDevice;
  readonly usb: IOUSBHostInterface;
  readonly ring: IOBufferMemoryDescriptor;
  readonly frameBytes: number;
  readonly isOutput: boolean;
  readonly endpoint: number;
  /** Address of the endpoint that says how many samples the device wants; null: the bus is its clock. */
  readonly feedback: number | null;
  /** Told once when the pipe takes nothing any more. */
  readonly failed: (status: IOReturn, call: string) => void;
}

export interface AudioEngineCounters {
  transfers: number;
  packets: number;
  /** Packets that were not on the wire, or not whole: their frames are lost. */
  lostPackets: number;
  /** Packets that ended within a frame. */
  brokenPackets: number;
  feedbacks: number;
  /** Feedback that no device of this rate can mean; the last lawful one stays. */
  badFeedbacks: number;
}

interface Transfer {
  readonly buffer: IOBufferMemoryDescriptor;
  readonly action: OSAction;
  frames: IOUSBIsochronousFrame[];
  isUnderWay: boolean;
}

/**
 * The ring's n-th frame is the n-th that goes or comes since `start`: an output reads the ring when it submits, an input writes
 * it when packets have come. At each wrap of the ring the audio device tells its zero timestamp. A lost input packet is a gap of as
 * many silent frames as were due, so that those behind it stay in their places.
 */
export class UsbAudioEngine {
  readonly counters: AudioEngineCounters = {
    transfers: 0,
    packets: 0,
    lostPackets: 0,
    brokenPackets: 0,
    feedbacks: 0,
    badFeedbacks: 0,
  };
  readonly #options: AudioEngineOptions;
  readonly #rate: number;
  readonly #ringFrames: number;
  readonly #pipe: IOUSBHostPipe;
  readonly #feedbackPipe: IOUSBHostPipe | null;
  readonly #framesPerSecond: number;
  /** (Micro)frames from one packet to the next. */
  readonly #interval: number;
  readonly #mostFrames: number;
  readonly #packetsOfTransfer: number;
  readonly #heardLaterNs: number;
  readonly #transfers: Transfer[] = [];
  readonly #feedbacks: Transfer[] = [];
  /** Samples in each packet, and what of a sample is owed from the packets before. */
  #samples: number;
  #owed = 0;
  #submitted = 0;
  #done = 0;
  #isRunning = false;

  /** The setting with the endpoint is in force. */
  constructor(options: AudioEngineOptions) {
    const { audio, endpoint, feedback, frameBytes, ring, usb } = options;
    this.#options = options;
    this.#rate = audio.getSampleRate();
    this.#ringFrames = ring.length / frameBytes;
    this.#pipe = usb.copyPipe(endpoint);
    this.#feedbackPipe = feedback === null ? null : usb.copyPipe(feedback);
    const isHigh = this.#pipe.getSpeed() >= highSpeed;
    this.#framesPerSecond = isHigh ? highSpeedFrames : fullSpeedFrames;
    const { bInterval, wMaxPacketSize } = this.#pipe.descriptor;
    this.#interval = 2 ** (Math.min(16, Math.max(1, bInterval)) - 1);
    const bytes = (wMaxPacketSize & 0x7ff) * (isHigh ? ((wMaxPacketSize >> 11) & 3) + 1 : 1);
    this.#mostFrames = Math.floor(bytes / frameBytes);
    this.#samples = (this.#rate * this.#interval) / this.#framesPerSecond;
    const packetNs = (this.#interval * second) / this.#framesPerSecond;
    this.#packetsOfTransfer = Math.max(1, Math.round(transferNs / packetNs));
    this.#heardLaterNs = options.isOutput ? packetNs : 0;
    if (Math.ceil(this.#samples) > this.#mostFrames)
      throw options.driver.failure(
        IOReturns.kIOReturnUnsupported,
        "StartIO",
        `${this.#rate} Hz are up to ${Math.ceil(this.#samples)} frames in a packet, and the endpoint takes ${this.#mostFrames}`,
      );
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Transfers go out. Throws where the pipe takes none. */
  start(): void {
    const { driver, frameBytes, isOutput } = this.#options;
    this.#isRunning = true;
    const bytes = this.#packetsOfTransfer * this.#mostFrames * frameBytes;
    for (let index = 0; index < transfersAhead; index++)
      this.#transfers.push(
        this.#makeTransfer(
          isOutput ? kIOMemoryDirectionOut : kIOMemoryDirectionIn,
          bytes,
          (transfer, time) => (isOutput ? this.#played(transfer, time) : this.#recorded(transfer, time)),
        ),
      );
    if (this.#feedbackPipe !== null)
      for (let index = 0; index < transfersAhead; index++)
        this.#feedbacks.push(
          this.#makeTransfer(kIOMemoryDirectionIn, this.#feedbackBytes, (transfer) =>
            this.#fedBack(transfer),
          ),
        );
    for (const transfer of this.#feedbacks) this.#submitFeedback(transfer);
    for (const transfer of this.#transfers) this.#submit(transfer);
    if (!this.#isRunning)
      throw driver.failure(IOReturns.kIOReturnNotResponding, "StartIO", "the pipe took no transfer");
  }

  /** Aborts what is under way and waits for the last of it. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#pipe.abort(kIOUSBAbortSynchronous);
    await this.#feedbackPipe?.abort(kIOUSBAbortSynchronous);
    const all = [...this.#transfers.splice(0), ...this.#feedbacks.splice(0)];
    await cancelAndWait(
      this.#options.usb.scheduler,
      all.map(({ action }) => action),
    );
    for (const { buffer } of all) buffer.release();
  }

  /** Frames that have gone or come. */
  get sampleTime(): number {
    return this.#done;
  }

  get #feedbackBytes(): number {
    return (this.#feedbackPipe?.descriptor.wMaxPacketSize ?? 0) & 0x7ff;
  }

  #makeTransfer(
    direction: number,
    bytes: number,
    over: (transfer: Transfer, timeNs: number) => void,
  ): Transfer {
    const { driver, usb } = this.#options;
    const action = driver.createAction(audioCompletion, (_action, status, timeNs) => {
      transfer.isUnderWay = false;
      if (!this.#isRunning) return;
      if (status === IOReturns.kIOReturnSuccess) over(transfer, timeNs);
      else this.#fail(status, "CompleteAsyncIsochIO");
    });
    const transfer: Transfer = {
      buffer: usb.createIOBuffer(direction, bytes),
      action,
      frames: [],
      isUnderWay: false,
    };
    return transfer;
  }

  #submit(transfer: Transfer): void {
    const { frameBytes, isOutput } = this.#options;
    if (isOutput) this.#fill(transfer);
    else
      transfer.frames = Array.from({ length: this.#packetsOfTransfer }, () =>
        newIsochronousFrame(this.#mostFrames * frameBytes),
      );
    this.#send(this.#pipe, transfer);
  }

  #send(pipe: IOUSBHostPipe, transfer: Transfer): void {
    if (!this.#isRunning) return;
    const status = pipe.isochIO(transfer.buffer, transfer.frames, 0, transfer.action);
    if (status === IOReturns.kIOReturnSuccess) transfer.isUnderWay = true;
    else this.#fail(status, "IsochIO");
  }

  #fail(status: IOReturn, call: string): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#options.failed(status, call);
  }

  /** The ring's next frames, in packets of as many samples as are due. */
  #fill(transfer: Transfer): void {
    const { frameBytes, ring } = this.#options;
    const frames: IOUSBIsochronousFrame[] = [];
    let count = 0;
    for (let packet = 0; packet < this.#packetsOfTransfer; packet++) {
      this.#owed += this.#samples;
      const whole = Math.min(Math.floor(this.#owed), this.#mostFrames);
      this.#owed -= whole;
      frames.push(newIsochronousFrame(whole * frameBytes));
      count += whole;
    }
    const bytes = ring.bytes;
    const from = (this.#submitted % this.#ringFrames) * frameBytes;
    const first = Math.min(count * frameBytes, bytes.length - from);
    transfer.buffer.bytes.set(bytes.subarray(from, from + first));
    if (first < count * frameBytes)
      transfer.buffer.bytes.set(bytes.subarray(0, count * frameBytes - first), first);
    this.#submitted += count;
    transfer.frames = frames;
  }

  #played(transfer: Transfer, timeNs: number): void {
    const { frameBytes } = this.#options;
    let count = 0;
    for (const { completeCount, requestCount, status } of transfer.frames) {
      this.counters.packets++;
      count += requestCount / frameBytes;
      if (status !== IOReturns.kIOReturnSuccess || completeCount !== requestCount)
        this.counters.lostPackets++;
    }
    this.counters.transfers++;
    this.#advance(count, timeNs);
    this.#submit(transfer);
  }

  #recorded(transfer: Transfer, timeNs: number): void {
    const { frameBytes, ring } = this.#options;
    let at = 0;
    let position = this.#done;
    const put = (bytes: Uint8Array): void => {
      const to = (position % this.#ringFrames) * frameBytes;
      const first = Math.min(bytes.length, ring.length - to);
      ring.bytes.set(bytes.subarray(0, first), to);
      if (first < bytes.length) ring.bytes.set(bytes.subarray(first), 0);
      position += bytes.length / frameBytes;
    };
    for (const { completeCount, requestCount, status } of transfer.frames) {
      this.counters.packets++;
      this.#owed += this.#samples;
      const due = Math.floor(this.#owed);
      this.#owed -= due;
      if (status === IOReturns.kIOReturnSuccess) {
        const whole = completeCount - (completeCount % frameBytes);
        if (whole !== completeCount) this.counters.brokenPackets++;
        put(transfer.buffer.bytes.subarray(at, at + whole));
      } else {
        this.counters.lostPackets++;
        put(new Uint8Array(due * frameBytes));
      }
      at += requestCount;
    }
    this.counters.transfers++;
    this.#advance(position - this.#done, timeNs);
    this.#submit(transfer);
  }

  /**
   * Zero timestamps, of the first frame and of wraps: the completion's time, less what has gone since at the nominal rate; what
   * an output's last packet brought is heard in the interval that follows it. The start itself is none, as hardware that fills its
   * buffers first begins faster than it goes on.
   */
  #advance(count: number, timeNs: number): void {
    const before = this.#done;
    this.#done += count;
    const { audio } = this.#options;
    const wraps = Math.floor(this.#done / this.#ringFrames);
    const isFirst = before === 0 && count > 0;
    for (let wrap = isFirst ? 0 : Math.floor(before / this.#ringFrames) + 1; wrap <= wraps; wrap++) {
      const sampleTime = wrap * this.#ringFrames;
      const since = ((this.#done - sampleTime) * second) / this.#rate - this.#heardLaterNs;
      audio.updateCurrentZeroTimestamp(sampleTime, Math.round(timeNs - since));
    }
  }

  // Feedback.

  #submitFeedback(transfer: Transfer): void {
    const pipe = this.#feedbackPipe;
    if (pipe === null) return;
    transfer.frames = [newIsochronousFrame(this.#feedbackBytes)];
    this.#send(pipe, transfer);
  }

  #fedBack(transfer: Transfer): void {
    const [{ completeCount, status }] = transfer.frames;
    const isEmpty = completeCount === 0 || status === IOReturns.kIOReturnNotResponding;
    if (!isEmpty) {
      const said = transfer.buffer.bytes.subarray(0, completeCount);
      const isWhole = status === IOReturns.kIOReturnSuccess;
      const samples = isWhole ? decodeFeedback(said, this.#rate, this.#framesPerSecond) : null;
      if (samples === null) this.counters.badFeedbacks++;
      else {
        this.counters.feedbacks++;
        this.#samples = samples * this.#interval;
      }
    }
    this.#submitFeedback(transfer);
  }
}
