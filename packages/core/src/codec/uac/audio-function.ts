// What an audio function of class 1.0 or 2.0 says it is: a view that judges nothing.

import {
  type Configuration,
  type Endpoint,
  type InterfaceSetting,
  type RawDescriptor,
  TransferType,
} from "../usb/descriptors.ts";
import {
  AudioControl,
  AudioSubclass,
  AudioSync,
  AudioTerminal,
  audioClass,
  feedbackUsage,
  implicitFeedbackUsage,
} from "./uac.ts";
import { Audio2Access } from "./uac2.ts";

/** Subtypes of descriptors in the control interface (Audio 1.0 table A-5, 2.0 table A-9). */
const Unit = {
  header: 1,
  input: 2,
  output: 3,
  mixer: 4,
  selector: 5,
  feature: 6,
  clockSource: 0x0a,
} as const;
/** Class 2.0 only: selector and multiplier. */
const clockSelector = 0x0b;
const clockMultiplier = 0x0c;
const syncMask = 0x0c;
const usageMask = 0x30;
const pcmFormat = 1;
const formatTypeI = 1;

/** A setting of a streaming interface that carries PCM. */
export interface AudioStreamView {
  readonly interfaceNumber: number;
  readonly alternate: number;
  /** Terminal that the stream ends in or begins at. */
  readonly terminal: number;
  readonly isOutput: boolean;
  readonly channels: number;
  /** Of a sample on the wire, and how many of its bits mean something. */
  readonly sampleBytes: number;
  readonly bits: number;
  /** Class 1.0: the rates of the endpoint, or the ends of a range. Class 2.0: null, the clock knows. */
  readonly rates: readonly number[] | null;
  readonly rateRange: { readonly minimum: number; readonly maximum: number } | null;
  /** Class 1.0: the endpoint takes a sampling frequency. */
  readonly hasRateControl: boolean;
  readonly endpoint: Endpoint;
  readonly sync: "asynchronous" | "adaptive" | "synchronous" | "none";
  /** The endpoint that says how fast an asynchronous output is; null: none does. */
  readonly feedback: Endpoint | null;
}

/** What a channel of a feature unit has: an Audio2Access each; class 1.0 has only whole ones. */
export interface AudioChannelControls {
  readonly mute: number;
  readonly volume: number;
}

export interface AudioFeatureView {
  readonly id: number;
  /** The master's first, then by channel. */
  readonly channels: readonly AudioChannelControls[];
}

export interface AudioClockView {
  readonly id: number;
  /** Access to its frequency. */
  readonly frequency: number;
  readonly valid: number;
}

export interface AudioFunctionView {
  readonly version: 1 | 2;
  readonly controlInterface: number;
  readonly streams: readonly AudioStreamView[];
  /** Between a stream's terminal and the plug, or the plug and the stream's terminal; in no order that matters. */
  featuresOf(terminal: number): readonly AudioFeatureView[];
  /** Terminal type of that plug; 0: the function does not say. */
  plugOf(terminal: number): number;
  /** The clock source of a terminal; null in class 1.0, and where none is found. */
  clockOf(terminal: number): AudioClockView | null;
}

interface Entity {
  readonly kind: number;
  readonly sources: readonly number[];
  readonly bytes: Uint8Array;
  /** Terminals. */
  readonly type: number;
  readonly clock: number;
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

/** Null: the interface has no audio control header. */
export function viewAudioFunction(
  configuration: Configuration,
  controlInterface: number,
): AudioFunctionView | null {
  const control = configuration.interfaces.find(({ number }) => number === controlInterface)?.settings[0];
  const header = control?.extra.find(({ bytes }) => bytes[2] === Unit.header && bytes.length >= 8);
  if (control === undefined || header === undefined) return null;
  const version = u16(header.bytes, 3) >= 0x0200 ? 2 : 1;
  const entities = readEntities(control.extra, version);
  const numbers =
    version === 1
      ? [...header.bytes.subarray(8, 8 + (header.bytes[7] ?? 0))]
      : streamingOfAssociation(configuration, controlInterface);
  const streams = configuration.interfaces
    .filter(({ number }) => numbers.includes(number))
    .flatMap(({ settings }) => settings)
    .flatMap((setting) => viewStream(setting, version) ?? []);
  return {
    version,
    controlInterface,
    streams,
    featuresOf: (terminal) =>
      pathOf(entities, terminal).flatMap((id) => {
        const entity = entities.get(id);
        return entity?.kind === Unit.feature ? [{ id, channels: channelsOf(entity.bytes, version) }] : [];
      }),
    plugOf: (terminal) => {
      const path = pathOf(entities, terminal);
      const ends = [path.at(0), path.at(-1)].flatMap((id) => entities.get(id ?? 0) ?? []);
      return ends.find(({ type }) => type !== 0 && type !== AudioTerminal.usbStream)?.type ?? 0;
    },
    clockOf: (terminal) => clockOf(entities, entities.get(terminal)?.clock ?? 0),
  };
}

/** §4.6: all interfaces of a class 2.0 function are one association; where none is, they follow each other. */
function streamingOfAssociation(configuration: Configuration, control: number): readonly number[] {
  const group = configuration.associations.find(({ bFirstInterface }) => bFirstInterface === control);
  const count = group?.bInterfaceCount ?? 256;
  return configuration.interfaces
    .filter(({ number, settings }) => {
      const { bInterfaceClass, bInterfaceSubClass } = settings[0].descriptor;
      const isStreaming = bInterfaceClass === audioClass && bInterfaceSubClass === AudioSubclass.streaming;
      return isStreaming && number > control && number < control + count;
    })
    .map(({ number }) => number);
}

function readEntities(extra: readonly RawDescriptor[], version: 1 | 2): Map<number, Entity> {
  const entities = new Map<number, Entity>();
  for (const { bytes } of extra) {
    if (bytes.length < 5) continue;
    const kind = bytes[2];
    const isTerminal = kind === Unit.input || kind === Unit.output;
    entities.set(bytes[3], {
      kind,
      bytes,
      sources: sourcesOf(bytes, kind, version),
      type: isTerminal ? u16(bytes, 4) : 0,
      clock: version === 2 && isTerminal ? (bytes[kind === Unit.input ? 7 : 8] ?? 0) : 0,
    });
  }
  return entities;
}

function sourcesOf(bytes: Uint8Array, kind: number, version: 1 | 2): readonly number[] {
  if (kind === Unit.output) return [bytes[7] ?? 0];
  if (kind === Unit.feature) return [bytes[4]];
  if (kind === Unit.mixer || kind === Unit.selector) return [...bytes.subarray(5, 5 + bytes[4])];
  if (version === 2 && kind === Unit.clockSource) return [];
  if (version === 2 && kind === clockSelector) return [...bytes.subarray(5, 5 + bytes[4])];
  if (version === 2 && kind === clockMultiplier) return [bytes[4]];
  return [];
}

/** Entities from a plug to a stream's terminal, or from the terminal to a plug; units in a circle are walked once. */
function pathOf(entities: ReadonlyMap<number, Entity>, terminal: number): readonly number[] {
  const isEnd = entities.get(terminal)?.kind === Unit.output;
  const starts = isEnd
    ? [terminal]
    : [...entities].filter(([, { kind }]) => kind === Unit.output).map(([id]) => id);
  for (const start of starts) {
    const seen = new Set<number>();
    const walk = (id: number): readonly number[] | null => {
      if (seen.has(id)) return null;
      seen.add(id);
      const entity = entities.get(id);
      if (entity === undefined) return null;
      if (isEnd ? entity.kind === Unit.input : id === terminal) return [id];
      for (const source of entity.sources) {
        const rest = walk(source);
        if (rest !== null) return [id, ...rest];
      }
      return null;
    };
    const path = walk(start);
    if (path !== null) return path;
  }
  return [terminal];
}

function clockOf(entities: ReadonlyMap<number, Entity>, first: number): AudioClockView | null {
  let id = first;
  // At most once through each: a selector's first pin, a multiplier's source.
  for (let left = entities.size; left > 0; left--) {
    const entity = entities.get(id);
    if (entity === undefined) return null;
    if (entity.kind === Unit.clockSource) {
      const controls = entity.bytes[5] ?? 0;
      return { id, frequency: controls & 3, valid: (controls >> 2) & 3 };
    }
    if (entity.kind !== clockSelector && entity.kind !== clockMultiplier) return null;
    id = entity.sources[0] ?? 0;
  }
  return null;
}

function channelsOf(bytes: Uint8Array, version: 1 | 2): readonly AudioChannelControls[] {
  const size = version === 1 ? (bytes[5] ?? 0) : 4;
  const first = version === 1 ? 6 : 5;
  const channels: AudioChannelControls[] = [];
  // The last byte names the unit.
  for (let at = first; size > 0 && at + size <= bytes.length - 1; at += size) {
    const bits = bytes[at];
    const has = (control: number): number => {
      if (version === 2) return (bits >> (2 * (control - 1))) & 3;
      return (bits & (1 << (control - 1))) === 0 ? Audio2Access.none : Audio2Access.write;
    };
    channels.push({ mute: has(AudioControl.mute), volume: has(AudioControl.volume) });
  }
  return channels;
}

/** Null: an idle setting, or what it carries is no PCM of format type I. */
function viewStream(setting: InterfaceSetting, version: 1 | 2): AudioStreamView | null {
  const { descriptor, endpoints, extra } = setting;
  const general = extra.find(
    ({ bytes }) => bytes[2] === 1 && bytes.length >= (version === 1 ? 7 : 16),
  )?.bytes;
  const format = extra.find(({ bytes }) => bytes[2] === 2 && bytes.length >= (version === 1 ? 8 : 6))?.bytes;
  if (general === undefined || format === undefined || format[3] !== formatTypeI) return null;
  const isPcm = version === 1 ? u16(general, 5) === pcmFormat : (general[6] & 1) === 1;
  const isochronous = endpoints.filter(
    ({ descriptor: { bmAttributes } }) => (bmAttributes & 3) === TransferType.isochronous,
  );
  const isFeedback = ({ descriptor: { bmAttributes } }: Endpoint): boolean =>
    (bmAttributes & usageMask) === feedbackUsage;
  const endpoint = isochronous.find((each) => !isFeedback(each));
  if (!isPcm || endpoint === undefined) return null;
  const isOutput = (endpoint.descriptor.bEndpointAddress & 0x80) === 0;
  const other = isochronous.find(
    (each) => each !== endpoint && ((each.descriptor.bEndpointAddress & 0x80) !== 0) === isOutput,
  );
  const isImplicit = (other?.descriptor.bmAttributes ?? 0) & implicitFeedbackUsage;
  const { bmAttributes } = endpoint.descriptor;
  return {
    interfaceNumber: descriptor.bInterfaceNumber,
    alternate: descriptor.bAlternateSetting,
    terminal: general[3],
    isOutput,
    channels: version === 1 ? format[4] : general[10],
    sampleBytes: format[version === 1 ? 5 : 4],
    bits: format[version === 1 ? 6 : 5],
    ...(version === 1 ? ratesOf(format) : { rates: null, rateRange: null }),
    hasRateControl:
      version === 1 && endpoint.extra.some(({ bytes }) => bytes[2] === 1 && (bytes[3] & 1) === 1),
    endpoint,
    sync: syncOf(bmAttributes & syncMask),
    feedback: isOutput && other !== undefined && isImplicit === 0 ? other : null,
  };
}

function syncOf(bits: number): AudioStreamView["sync"] {
  if (bits === AudioSync.asynchronous) return "asynchronous";
  if (bits === AudioSync.adaptive) return "adaptive";
  return bits === AudioSync.synchronous ? "synchronous" : "none";
}

/** Audio Data Formats 1.0 table 2-1: a list of rates, or with none the two ends of a range. As many as there are bytes. */
function ratesOf(format: Uint8Array): Pick<AudioStreamView, "rates" | "rateRange"> {
  const rate = (index: number): number | null => {
    const at = 8 + 3 * index;
    return at + 3 <= format.length ? format[at] | (format[at + 1] << 8) | (format[at + 2] << 16) : null;
  };
  if (format[7] !== 0)
    return {
      rates: Array.from({ length: format[7] }, (_, index) => rate(index)).filter((each) => each !== null),
      rateRange: null,
    };
  return { rates: [], rateRange: { minimum: rate(0) ?? 0, maximum: rate(1) ?? 0 } };
}
