// From a trace of a real device to a model of it: what it answered, in its order, and what had to be inferred.

import { hex } from "../base/text.ts";
import type { DeviceDescriptor } from "../codec/usb/descriptors.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import type { DeviceRecording, RecordedData, RecordedRequest } from "../devices/recorded/recorded-device.ts";
import { isStandardRequest } from "../dissect/device-summary.ts";
import { UsbStatus } from "../ports/usb-host.ts";
import { usbArrivals } from "../trace/usb-arrivals.ts";
import {
  TraceKind,
  type TraceRow,
  TraceTransfer,
  type UsbTraceLog,
  unknownLength,
} from "../trace/usb-trace-log.ts";

/** A device's own words, wherever they were read. */
export interface RecordedDescriptors {
  readonly device: DeviceDescriptor;
  readonly configurations: readonly Uint8Array[];
  readonly strings: readonly string[];
}

export interface InferredAnswer {
  /** What it is about: "speed", "GET_STATUS", "endpoint 0x81". */
  readonly what: string;
  readonly because: string;
}

export interface RecordedModel {
  /** The device's number in the trace. */
  readonly device: number;
  readonly recording: DeviceRecording;
  readonly inferred: readonly InferredAnswer[];
}

const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const highSpeedBulkBytes = 512;
/** What the written file imports. */
const door = ["@drydock", "core/devices/recorded/recorded-device"].join("/");

/** RangeError: the trace has no such device, or its data are cut. */
export function modelOfTrace(log: UsbTraceLog, descriptors: RecordedDescriptors): RecordedModel {
  const { idProduct, idVendor } = descriptors.device;
  const [arrival] = usbArrivals(log)
    .filter(({ summary }) => summary?.idVendor === idVendor && summary.idProduct === idProduct)
    .sort((one, other) => other.data.length - one.data.length);
  if (arrival === undefined)
    throw new RangeError(`no device ${hex(idVendor, 4)}:${hex(idProduct, 4)} that says what it is`);
  const builder = new RecordingBuilder();
  for (const row of log.all()) if (row.device === arrival.device) builder.take(row);
  const { configurations, device, strings } = descriptors;
  const isHigh = configurations.some((bytes) => hasPacketsOf(bytes, highSpeedBulkBytes));
  const inferred: InferredAnswer[] = [
    {
      what: "speed",
      because: isHigh
        ? `high: an endpoint takes packets of ${highSpeedBulkBytes} bytes, and no capture says the speed`
        : "full: no endpoint takes packets of 512 bytes, and no capture says the speed",
    },
    { what: "SET_ADDRESS", because: "a capture of the host's requests does not have it" },
    ...builder.inferred(strings),
  ];
  const recording: DeviceRecording = {
    speed: isHigh ? UsbSpeed.high : UsbSpeed.full,
    device,
    configurations: configurations.map(hexOf),
    strings,
    requests: builder.requests,
    data: builder.data,
  };
  return { device: arrival.device, recording, inferred };
}

function hasPacketsOf(configuration: Uint8Array, packetBytes: number): boolean {
  for (let at = 0; at + 7 <= configuration.length && configuration[at] >= 2; at += configuration[at])
    if (configuration[at + 1] === 5 && (configuration[at + 4] | (configuration[at + 5] << 8)) === packetBytes)
      return true;
  return false;
}

class RecordingBuilder {
  readonly data: RecordedData[] = [];
  readonly #requests = new Map<string, string[]>();
  readonly #open = new Map<number, TraceRow>();
  readonly #waits = new Map<string, number[]>();
  #guessesPackets = false;
  #guessesEnds = false;
  readonly #unanswered = new Set<string>();
  #messages = 0;
  /** When the host's last message had come, and the last data of each endpoint. */
  #messageNs = 0;
  readonly #dataNs = new Map<number, number>();

  take(row: TraceRow): void {
    if (row.kind === TraceKind.submit) this.#open.set(row.id, row);
    if (row.kind !== TraceKind.complete) return;
    const asked = this.#open.get(row.id);
    this.#open.delete(row.id);
    if (asked === undefined) return;
    if (asked.setup === null) this.#dataEnded(asked, row);
    else this.#requestEnded(asked.setup, row, asked.timeNs);
  }

  get requests(): readonly RecordedRequest[] {
    return [...this.#requests].map(([setup, answers]) => {
      const waitsNs = this.#waits.get(setup) ?? [];
      const isOne = answers.every((answer) => answer === answers[0]);
      return {
        setup,
        answers: isOne ? answers.slice(0, 1) : answers,
        waitsNs: isOne ? waitsNs.slice(0, 1) : waitsNs,
      };
    });
  }

  inferred(strings: readonly string[]): InferredAnswer[] {
    const has = (setup: RegExp): boolean => [...this.#requests.keys()].some((key) => setup.test(key));
    const rows: InferredAnswer[] = [];
    const unless = (isThere: boolean, what: string, because: string): void => {
      if (!isThere) rows.push({ what, because });
    };
    unless(has(/^8[012]00/), "GET_STATUS", "nobody asked: as the descriptors and the halts of endpoints say");
    unless(has(/^8008/), "GET_CONFIGURATION", "nobody asked: what SET_CONFIGURATION set");
    unless(has(/^810a/), "GET_INTERFACE", "nobody asked: what SET_INTERFACE set");
    unless(
      has(/^8006..06/),
      "the device qualifier",
      "nobody asked: refused at full speed, made from the descriptors at high",
    );
    unless(has(/^8006..0f/), "the BOS descriptor", "nobody asked: refused");
    for (const [at, text] of strings.entries())
      if (text === "") rows.push({ what: `string ${at + 1}`, because: "nobody asked: empty" });
    for (const setup of this.#unanswered)
      rows.push({ what: `request ${setup}`, because: "it was cancelled or lost: refused" });
    rows.push({
      what: "every other class or vendor request",
      because: "it is not in the recording: refused",
    });
    rows.push({ what: "data on OUT endpoints", because: "whatever it is, it is taken" });
    const ends = new Set(this.data.map(({ endpoint }) => endpoint));
    for (const endpoint of ends)
      rows.push({
        what: `endpoint 0x${hex(endpoint, 2)}`,
        because: "after the last recorded data: nothing more",
      });
    if (this.#guessesPackets)
      rows.push({
        what: "isochronous packets",
        because: "the capture does not say where one ends: all that came at once is one",
      });
    if (this.#guessesEnds)
      rows.push({
        what: "ends of transfers",
        because: "the capture does not say how much was asked for: no empty packet follows whole ones",
      });
    rows.push({
      what: "times of answers and data",
      because: "as the host saw them, its own delays among them; taken only with a clock",
    });
    return rows;
  }

  #requestEnded(setup: Uint8Array, row: TraceRow, askedNs: number): void {
    const key = hexOf(setup);
    const isIn = (setup[0] & 0x80) !== 0;
    if (row.status === UsbStatus.ok || row.status === UsbStatus.stall) {
      const answers = this.#requests.get(key) ?? [];
      this.#requests.set(key, answers);
      const waits = this.#waits.get(key) ?? [];
      this.#waits.set(key, waits);
      waits.push(Math.max(0, row.timeNs - askedNs));
      if (row.status === UsbStatus.stall) answers.push("stall");
      else if (isIn && row.data.length < row.length)
        throw new RangeError(`the answer to request ${key} is cut in the capture: record it whole`);
      else answers.push(isIn ? hexOf(row.data) : "");
    } else if (!isStandardRequest(setup)) this.#unanswered.add(key);
    if (!isIn && row.status !== UsbStatus.gone) this.#message(row.timeNs);
  }

  #message(timeNs: number): void {
    this.#messages++;
    this.#messageNs = timeNs;
  }

  #dataEnded(asked: TraceRow, row: TraceRow): void {
    const isIn = (asked.endpoint & 0x80) !== 0;
    if (!isIn) {
      // Each packet of an isochronous transfer is one to the device.
      const messages = asked.packets?.length ?? 1;
      for (let each = 0; each < messages && row.status === UsbStatus.ok; each++) this.#message(row.timeNs);
      return;
    }
    if (row.status !== UsbStatus.ok && row.length === 0) return;
    if (row.data.length < row.length)
      throw new RangeError(
        `data of endpoint 0x${hex(asked.endpoint, 2)} are cut in the capture: record them whole`,
      );
    const isIsochronous = asked.transfer === TraceTransfer.isochronous;
    this.#guessesEnds ||= asked.length === unknownLength && row.length > 0;
    this.#guessesPackets ||= isIsochronous && row.packets === null;
    this.data.push({
      endpoint: asked.endpoint,
      after: this.#messages,
      bytes: hexOf(row.data),
      // An analyser's packets are whole transfers to us, and show an empty one where it was.
      isFull: asked.length === row.length || asked.length === unknownLength,
      ...(isIsochronous ? { packets: row.packets ?? [row.length] } : {}),
      waitNs: Math.max(0, row.timeNs - Math.max(this.#messageNs, this.#dataNs.get(asked.endpoint) ?? 0)),
    });
    this.#dataNs.set(asked.endpoint, row.timeNs);
  }
}

/** The model as a file that people edit: recorded answers, and a list of those that were inferred. */
export function writeRecordedModel(
  name: string,
  { inferred, recording }: Pick<RecordedModel, "inferred" | "recording">,
): string {
  const { configurations, data, device, requests, speed, strings } = recording;
  const className = `${name.replace(/(?:^|-)([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase())}Device`;
  const quote = (value: unknown): string =>
    JSON.stringify(value).replace(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
  const list = (rows: readonly string[]): string => rows.map((row) => `    ${row},\n`).join("");
  return `// ${className}: a device that answers as the recorded one did. Made from a capture; yours to edit.
//
// Recorded, byte for byte: ${requests.length} requests, ${data.length} times data. Inferred, as the capture does not say it:
${inferred.map(({ because, what }) => `//   inferred: ${what.replace(/[\r\n]/g, " ")}: ${because}\n`).join("")}
import { type DeviceRecording, RecordedDevice, type RecordedOptions } from ${quote(door)};

export const recording: DeviceRecording = {
  // inferred
  speed: ${quote(speed)},
  device: ${quote(device)},
  configurations: [
${list(configurations.map(quote))}  ],
  strings: ${quote(strings)},
  // By SETUP packet: what was answered each time; the last answer stays.
  requests: [
${list(requests.map(quote))}  ],
  // What came from IN endpoints, and after how many messages of the host.
  data: [
${list(data.map(quote))}  ],
};

export class ${className} extends RecordedDevice {
  /** With a clock its answers take the time that was recorded. */
  constructor(options: RecordedOptions = {}) {
    super(recording, options);
  }
}
`;
}
