// What USB audio models of both classes do: packets played and heard at a crystal's pace, volume, mute, counters.

import type { Clock } from "../../base/clock.ts";
import { second } from "../../base/units.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { UsbDeviceModel, type UsbModelPlan } from "../usb-device-model.ts";

export interface UsbAudioOptions {
  readonly clock: Clock;
  /** How the speaker's endpoint follows the host. Default adaptive; asynchronous has a feedback endpoint. */
  readonly sync?: "adaptive" | "asynchronous";
  /** How much the device's own crystal is too fast. An adaptive speaker follows the bus all the same. Default 0. */
  readonly partsPerMillion?: number;
  /** Told of each packet that came to be played. The bytes are valid during the call. */
  readonly onPlayed?: (bytes: Uint8Array) => void;
  /** What the microphone hears, frame by frame. Default: two ramps. */
  readonly hear?: (frame: number) => readonly [left: number, right: number];
  /** Says something else on the feedback endpoint than what is true: for tests of hosts. Null: nothing. */
  readonly feedback?: (truth: Uint8Array) => Uint8Array | null;
}

/** What happened on the speaker's endpoint since its setting was chosen. */
export interface UsbAudioCounters {
  packets: number;
  bytes: number;
  /** Intervals between two packets of one stream in which none came. */
  missed: number;
  /** Packets with half a sample frame at their end. */
  broken: number;
  feedbacks: number;
  /** Packets that the microphone sent. */
  heardPackets: number;
}

export const audioFrameBytes = 4;
export const audioEndpoints = { speaker: 0x01, feedback: 0x81, microphone: 0x82 } as const;
export const audioInterfaces = { control: 0, speaker: 1, microphone: 2 } as const;
/** 1/256 dB: -60 dB to 0 dB in steps of 1 dB. */
export const audioVolume = { minimum: -60 * 256, maximum: 0, resolution: 256 } as const;

export interface UsbAudioShape {
  readonly plan: UsbModelPlan;
  /** The first is chosen at power-on. */
  readonly rates: readonly number[];
  /** From one packet to the next. */
  readonly packetNs: number;
  /** How this class says samples in a (micro)frame. */
  readonly encodeFeedback: (samples: number) => Uint8Array;
  /** (Micro)frames of a second. */
  readonly framesPerSecond: number;
}

export abstract class UsbAudioModel extends UsbDeviceModel {
  readonly counters: UsbAudioCounters = {
    packets: 0,
    bytes: 0,
    missed: 0,
    broken: 0,
    feedbacks: 0,
    heardPackets: 0,
  };
  protected readonly rates: readonly number[];
  protected isMuted = false;
  /** Of left and right. */
  protected levels = [0, 0];
  readonly #options: UsbAudioOptions;
  readonly #shape: UsbAudioShape;
  #rate: number;
  #firstPacketNs = -1;
  #lastPacketNs = -1;
  #frames = 0;
  #heardFrames = 0;
  #owed = 0;

  protected constructor(options: UsbAudioOptions, shape: UsbAudioShape) {
    super(shape.plan);
    this.#options = options;
    this.#shape = shape;
    this.rates = shape.rates;
    this.#rate = shape.rates[0];
  }

  /** 1/256 dB; null while muted. */
  get volumes(): readonly number[] | null {
    return this.isMuted ? null : this.levels;
  }

  /** Frames a second, as the host has set it. */
  get rate(): number {
    return this.#rate;
  }

  /** Of the device's own crystal. */
  get trueRate(): number {
    return this.#rate * (1 + (this.#options.partsPerMillion ?? 0) / 1e6);
  }

  /** Frames that came beyond those that an asynchronous speaker's crystal has played since the first packet of the stream. */
  get drift(): number {
    if (this.#firstPacketNs < 0 || this.#options.sync !== "asynchronous") return 0;
    const elapsed = this.#lastPacketNs - this.#firstPacketNs + this.#shape.packetNs;
    return this.#frames - (elapsed * this.trueRate) / second;
  }

  /** False: there is no such rate. */
  protected chooseRate(rate: number): boolean {
    if (!this.rates.includes(rate)) return false;
    this.#rate = rate;
    return true;
  }

  /** The step that it has. */
  protected setLevel(channel: number, data: Uint8Array): boolean {
    if (channel < 1 || channel > 2 || data.length !== 2) return false;
    const asked = ((data[0] | (data[1] << 8)) << 16) >> 16;
    const { maximum, minimum, resolution } = audioVolume;
    const held = Math.min(maximum, Math.max(minimum, asked));
    this.levels[channel - 1] = Math.round(held / resolution) * resolution;
    return true;
  }

  protected override powerOn(): void {
    this.isMuted = false;
    this.levels = [0, 0];
    this.#rate = this.rates[0];
    this.#lastPacketNs = -1;
    this.#firstPacketNs = -1;
  }

  protected override settingBegan(interfaceNumber: number): void {
    if (interfaceNumber === audioInterfaces.speaker) {
      this.#firstPacketNs = -1;
      this.#lastPacketNs = -1;
      this.#frames = 0;
    } else if (interfaceNumber === audioInterfaces.microphone) {
      this.#heardFrames = 0;
      this.#owed = 0;
    }
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint === audioEndpoints.feedback) return this.#sayFeedback(buffer, offset, length);
    if (endpoint !== audioEndpoints.microphone) return UsbNak;
    const hear = this.#options.hear ?? ramps;
    this.#owed += (this.trueRate * this.#shape.packetNs) / second;
    // What the wire has no room for now is sent with the next packet.
    const count = Math.min(Math.floor(this.#owed), Math.floor(length / audioFrameBytes));
    this.#owed -= count;
    for (let index = 0; index < count; index++) {
      const [left, right] = hear(this.#heardFrames++);
      const at = offset + index * audioFrameBytes;
      buffer[at] = left & 0xff;
      buffer[at + 1] = (left >> 8) & 0xff;
      buffer[at + 2] = right & 0xff;
      buffer[at + 3] = (right >> 8) & 0xff;
    }
    this.counters.heardPackets++;
    return count * audioFrameBytes;
  }

  protected override dataOut(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint !== audioEndpoints.speaker) return length;
    const { counters } = this;
    const nowNs = this.#options.clock.nowNs();
    if (this.#firstPacketNs < 0) this.#firstPacketNs = nowNs;
    else counters.missed += Math.max(0, Math.round((nowNs - this.#lastPacketNs) / this.#shape.packetNs) - 1);
    this.#lastPacketNs = nowNs;
    counters.packets++;
    counters.bytes += length;
    if (length % audioFrameBytes !== 0) counters.broken++;
    this.#frames += Math.floor(length / audioFrameBytes);
    this.#options.onPlayed?.(buffer.subarray(offset, offset + length));
    return length;
  }

  #sayFeedback(buffer: Uint8Array, offset: number, length: number): number {
    this.counters.feedbacks++;
    const truth = this.#shape.encodeFeedback(this.trueRate / this.#shape.framesPerSecond);
    const { feedback } = this.#options;
    const said = feedback === undefined ? truth : feedback(truth);
    if (said === null) return UsbNak;
    buffer.set(said.subarray(0, length), offset);
    return said.length;
  }
}

const ramps = (frame: number): readonly [number, number] => [(frame * 7) % 32768, (frame * 13) % 32768];

/** Sixteen bits, the low byte first. */
export const audioWord = (value: number): Uint8Array => Uint8Array.of(value & 0xff, (value >> 8) & 0xff);
