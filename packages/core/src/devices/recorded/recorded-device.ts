// A device that answers as a recorded one did: by its requests, and by the order in which data came.

import type { Clock } from "../../base/clock.ts";
import { DescriptorType, type DeviceDescriptor } from "../../codec/usb/descriptors.ts";
import type { Setup } from "../../codec/usb/setup.ts";
import type { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { type UsbDevicePort, UsbNak, UsbStall, type UsbUpstream } from "../../ports/usb-device.ts";
import { UsbDeviceModel, type UsbModelPlan } from "../usb-device-model.ts";

/** What was answered to one SETUP packet, each time that it came. Bytes as hexadecimal digits; a word where there were none. */
export interface RecordedRequest {
  /** The eight bytes. */
  readonly setup: string;
  /** Data of an IN, "" for an OUT that was taken, "stall". The last stays for those that come later. */
  readonly answers: readonly string[];
  /** How long each answer took, nanoseconds, as the recorded host saw it. Left out: no time. */
  readonly waitsNs?: readonly number[];
  /** Of several OUT data for one SETUP nobody tells apart: they are taken. */
  readonly note?: string;
}

/** Data that came from an endpoint. */
export interface RecordedData {
  /** With its direction bit. */
  readonly endpoint: number;
  /** So many messages of the host had come before: data on OUT endpoints, requests with the direction out. */
  readonly after: number;
  readonly bytes: string;
  /** The host had asked for just so much: no short packet ends it. */
  readonly isFull: boolean;
  /** Of isochronous data: bytes of each packet; one goes in each service interval. */
  readonly packets?: readonly number[];
  /** How long it was from what they waited for (that message, or the data before them) to their coming, nanoseconds. Left out: no time. */
  readonly waitNs?: number;
}

export interface RecordedOptions {
  /** With it answers and data take the time that was recorded; without, they come as soon as they may. */
  readonly clock?: Clock;
}

/** All that a model needs: it can be written by hand, or changed. */
export interface DeviceRecording {
  readonly speed: UsbSpeed;
  readonly device: DeviceDescriptor;
  readonly configurations: readonly string[];
  readonly strings: readonly string[];
  readonly requests: readonly RecordedRequest[];
  readonly data: readonly RecordedData[];
}

const fromHex = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(at * 2, at * 2 + 2), 16),
  );
const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** How far an endpoint is: its row, bytes and packets of that, when the row before ended. */
interface Given {
  next: number;
  at: number;
  packet: number;
  lastNs: number;
  endsEmpty: boolean;
}

const directionIn = 0x80;
const setAddress = 5;
const noAnswer = "";
const stall = "stall";

/** What the recording does not say: USB 2.0 §9.4 from the descriptors, no other request, no data. */
class InferredDevice extends UsbDeviceModel {
  protected override answerRequest(_setup: Setup): null {
    return null;
  }

  protected override performRequest(_setup: Setup): boolean {
    return false;
  }

  protected override dataIn(): number {
    return UsbNak;
  }

  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    return length;
  }

  protected override powerOn(): void {}
}

/**
 * Recorded answers first, byte for byte; where the recording is silent, what can be inferred: standard requests as the descriptors
 * say, STALL for every other request, OUT data taken, no more data on IN endpoints. `inferred` counts what was asked beyond it.
 */
export class RecordedDevice implements UsbDevicePort {
  readonly speed: UsbSpeed;
  /** Requests that the recording did not have, as hexadecimal SETUP packets, and how often. */
  readonly inferred = new Map<string, number>();
  readonly #model: InferredDevice;
  readonly #configuration: Uint8Array;
  readonly #answers: ReadonlyMap<string, readonly string[]>;
  readonly #data: ReadonlyMap<number, readonly RecordedData[]>;
  /** How often each request came, and how far each endpoint is. */
  readonly #asked = new Map<string, number>();
  readonly #given = new Map<number, Given>();
  #messages = 0;
  readonly #clock: Clock | null;
  readonly #waits: ReadonlyMap<string, readonly number[]>;
  /** When the messages came that data wait for, first to last. */
  readonly #messageNs: number[] = [];
  readonly #lastAwaited: number;
  /** When the control transfer under way may be answered. */
  #answersAtNs = 0;
  #upstream: UsbUpstream | null = null;
  /** The control transfer under way, where the recording answers it. */
  #response: Uint8Array | null = null;
  #responseAt = 0;
  #isStalled = false;
  #outLeft = 0;

  constructor(recording: DeviceRecording, { clock }: RecordedOptions = {}) {
    const { configurations, device, requests, data, speed, strings } = recording;
    const plan: UsbModelPlan = { speed, device, configurations: configurations.map(fromHex), strings };
    this.#model = new InferredDevice(plan);
    this.#configuration = plan.configurations[0] ?? new Uint8Array(0);
    this.speed = speed;
    this.#clock = clock ?? null;
    this.#waits = new Map(requests.map(({ setup, waitsNs }) => [setup, waitsNs ?? []]));
    this.#lastAwaited = data.reduce((most, { after }) => Math.max(most, after), 0);
    this.#answers = new Map(requests.map(({ answers, setup }) => [setup, answers]));
    const byEndpoint = new Map<number, RecordedData[]>();
    for (const row of data) byEndpoint.set(row.endpoint, [...(byEndpoint.get(row.endpoint) ?? []), row]);
    this.#data = byEndpoint;
  }

  plug(upstream: UsbUpstream): void {
    this.#upstream = upstream;
    this.#model.plug(upstream);
    this.#begin();
  }

  unplug(): void {
    this.#upstream = null;
    this.#model.unplug();
  }

  reset(): void {
    this.#model.reset();
  }

  setup(packet: Uint8Array): void {
    const key = hexOf(packet);
    const isIn = (packet[0] & directionIn) !== 0;
    const isStandard = (packet[0] & 0x60) === 0;
    const answers = this.#answers.get(key);
    const count = this.#asked.get(key) ?? 0;
    this.#asked.set(key, count + 1);
    const answer = answers?.[Math.min(count, answers.length - 1)];
    const waits = this.#waits.get(key) ?? [];
    this.#answersAtNs = this.#nowNs() + (waits[Math.min(count, waits.length - 1)] ?? 0);
    this.#response = null;
    this.#responseAt = 0;
    this.#isStalled = answer === stall;
    this.#outLeft = isIn ? 0 : packet[6] | (packet[7] << 8);
    // Where it stands (address, configuration, halts) the model keeps, whoever answers.
    this.#model.setup(packet);
    if (answer === undefined) {
      const isOwn = isStandard && packet[1] === setAddress;
      if (!isOwn) this.inferred.set(key, (this.inferred.get(key) ?? 0) + 1);
      if (!isIn && this.#outLeft === 0) this.#message();
      return;
    }
    if (isIn) this.#response = this.#isStalled ? null : fromHex(answer);
    else if (!isStandard && answer === noAnswer) this.#response = new Uint8Array(0);
    if (!isIn && this.#outLeft === 0) this.#message();
  }

  in(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream?: number): number {
    if ((endpoint & 0x0f) !== 0) return this.#dataIn(endpoint, buffer, offset, length, stream);
    if (!this.#isDue(this.#answersAtNs, directionIn)) return UsbNak;
    if (this.#isStalled) return UsbStall;
    if (this.#response === null) return this.#model.in(endpoint, buffer, offset, length, stream);
    const count = Math.min(length, this.#response.length - this.#responseAt);
    buffer.set(this.#response.subarray(this.#responseAt, this.#responseAt + count), offset);
    this.#responseAt += count;
    return count;
  }

  out(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream?: number): number {
    if ((endpoint & 0x0f) !== 0) {
      const taken = this.#model.out(endpoint, buffer, offset, length, stream);
      if (taken >= 0) this.#message();
      return taken;
    }
    if (this.#isStalled) return UsbStall;
    const taken =
      this.#response === null ? this.#model.out(endpoint, buffer, offset, length, stream) : length;
    if (this.#outLeft > 0 && taken > 0) {
      this.#outLeft -= taken;
      if (this.#outLeft <= 0) this.#message();
    }
    return taken;
  }

  /** Of the first configuration: what fills packets whole needs an empty one behind it. */
  #packetOf(endpoint: number): number {
    const bytes = this.#configuration;
    for (let at = 0; at + 7 <= bytes.length && bytes[at] >= 2; at += bytes[at])
      if (bytes[at + 1] === DescriptorType.endpoint && bytes[at + 2] === endpoint)
        return bytes[at + 4] | ((bytes[at + 5] & 7) << 8) || 1;
    return 1;
  }

  #begin(): void {
    this.#asked.clear();
    this.#given.clear();
    this.#messages = 0;
    this.#messageNs.length = 0;
    this.#answersAtNs = 0;
  }

  #nowNs(): number {
    return this.#clock?.nowNs() ?? 0;
  }

  /** False: not yet, and the host is told when. */
  #isDue(dueNs: number, endpoint: number): boolean {
    const leftNs = dueNs - this.#nowNs();
    if (this.#clock === null || leftNs <= 0) return true;
    // Early or twice is harmless: the host asks again.
    this.#clock.after(leftNs, () => this.#upstream?.ready(endpoint), undefined);
    return false;
  }

  /** The host said something: data that waited for it may come. */
  #message(): void {
    this.#messages++;
    if (this.#messages <= this.#lastAwaited) this.#messageNs.push(this.#nowNs());
    for (const endpoint of this.#data.keys()) this.#upstream?.ready(endpoint);
  }

  #dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream?: number): number {
    const state = this.#model.in(endpoint, buffer, offset, length, stream);
    if (state !== UsbNak) return state;
    let given = this.#given.get(endpoint);
    if (given === undefined) {
      given = { next: 0, at: 0, packet: 0, lastNs: 0, endsEmpty: false };
      this.#given.set(endpoint, given);
    }
    if (given.endsEmpty) {
      given.endsEmpty = false;
      return 0;
    }
    const row = this.#data.get(endpoint)?.[given.next];
    if (row === undefined || row.after > this.#messages) return UsbNak;
    if (given.at === 0 && given.packet === 0) {
      const sinceNs = Math.max(given.lastNs, this.#messageNs[row.after - 1] ?? 0);
      if (!this.#isDue(sinceNs + (row.waitNs ?? 0), endpoint)) return UsbNak;
    }
    const bytes = fromHex(row.bytes);
    const most = row.packets === undefined ? bytes.length : (row.packets[given.packet] ?? 0);
    const count = Math.min(length, most, bytes.length - given.at);
    buffer.set(bytes.subarray(given.at, given.at + count), offset);
    given.at += count;
    given.packet++;
    if (row.packets !== undefined && given.packet < row.packets.length) return count;
    if (row.packets !== undefined || given.at === bytes.length) {
      given.next++;
      given.at = 0;
      given.packet = 0;
      given.lastNs = this.#nowNs();
      if (row.packets !== undefined) return count;
      // Whole packets do not end a transfer by themselves.
      given.endsEmpty =
        !row.isFull && bytes.length > 0 && count < length && bytes.length % this.#packetOf(endpoint) === 0;
    }
    return count;
  }
}
