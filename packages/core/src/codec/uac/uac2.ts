// USB Audio Class 2.0: class-specific descriptors, requests with CUR and RANGE.

import { ByteReader } from "../../base/bytes.ts";

const u16 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
const u32 = (value: number): number[] => [...u16(value), ...u16(value >>> 16)];

/** Interface protocol of all interfaces of a function (table A-6). */
export const audio2Protocol = 0x20;

/** Requests, §5.2.1: bit 7 of bmRequestType says whether it is got or set. */
export const Audio2Request = { current: 0x01, range: 0x02 } as const;

/** Controls of a clock source, §5.2.5.1; those of a feature unit are class 1.0's. */
export const ClockControl = { samplingFrequency: 0x01, valid: 0x02 } as const;

/** bmAttributes of a clock source, bits 1:0 (§4.7.2.1). */
export const ClockKind = { external: 0, fixed: 1, variable: 2, programmable: 3 } as const;

/** Two bits for each control, §4.7: absent, the host reads it, the host sets it. */
export const Audio2Access = { none: 0, read: 1, write: 3 } as const;

/** §4.7.2: `units` are all descriptors that follow it in the interface. Category 08h is a desktop speaker. */
export function encodeAudio2Header(units: readonly Uint8Array[]): Uint8Array {
  const total = units.reduce((sum, unit) => sum + unit.length, 9);
  return Uint8Array.of(9, 0x24, 0x01, ...u16(0x0200), 0x08, ...u16(total), 0);
}

/** §4.7.2.1. `frequency` and `valid` are an Audio2Access. */
export function encodeClockSource(id: number, kind: number, frequency: number, valid: number): Uint8Array {
  return Uint8Array.of(8, 0x24, 0x0a, id, kind, frequency | (valid << 2), 0, 0);
}

/** §4.7.2.4. Two channels are left front and right front. */
export function encodeInput2Terminal(id: number, type: number, clock: number, channels: number): Uint8Array {
  const places = u32(channels === 2 ? 3 : 0);
  return Uint8Array.of(17, 0x24, 0x02, id, ...u16(type), 0, clock, channels, ...places, 0, ...u16(0), 0);
}

/** §4.7.2.5. */
export function encodeOutput2Terminal(id: number, type: number, source: number, clock: number): Uint8Array {
  return Uint8Array.of(12, 0x24, 0x03, id, ...u16(type), 0, source, clock, ...u16(0), 0);
}

/** §4.7.2.8: mute in bits 1:0, volume in bits 3:2, the master's first. */
export function encodeFeature2Unit(id: number, source: number, controls: readonly number[]): Uint8Array {
  return Uint8Array.of(6 + 4 * controls.length, 0x24, 0x06, id, source, ...controls.flatMap(u32), 0);
}

/** §4.9.2: format type I, PCM. */
export function encodeStream2General(terminal: number, channels: number): Uint8Array {
  const places = u32(channels === 2 ? 3 : 0);
  return Uint8Array.of(16, 0x24, 0x01, terminal, 0, 1, ...u32(1), channels, ...places, 0);
}

/** Audio Data Formats 2.0 §2.3.1.6. */
export function encodeFormat2TypeI(bytes: number, bits: number): Uint8Array {
  return Uint8Array.of(6, 0x24, 0x02, 1, bytes, bits);
}

/** §4.10.1.2: nothing to control at the endpoint. */
export function encodeStream2Endpoint(): Uint8Array {
  return Uint8Array.of(8, 0x25, 0x01, 0, 0, 0, 0, 0);
}

export interface AudioRange {
  readonly minimum: number;
  readonly maximum: number;
  /** 0: only the ends, which are the same then. */
  readonly resolution: number;
}

/** The parameter block of RANGE with fields of `bytes` each (§5.2.3): 2 for volumes, which are signed, 4 for frequencies. */
export function encodeRanges(ranges: readonly AudioRange[], bytes: 2 | 4): Uint8Array {
  const field = bytes === 2 ? u16 : u32;
  const fields = ranges.flatMap(({ minimum, maximum, resolution }) => [minimum, maximum, resolution]);
  return Uint8Array.of(...u16(ranges.length), ...fields.flatMap(field));
}

/** Throws a DecodeError where there are fewer ranges than their number says, or one whose ends are the wrong way round. */
export function decodeRanges(block: Uint8Array, bytes: 2 | 4): readonly AudioRange[] {
  const reader = new ByteReader(block, "RANGE parameter block");
  const count = reader.u16le("wNumSubRanges");
  const ranges: AudioRange[] = [];
  for (let index = 0; index < count; index++) {
    const at = reader.offset;
    const field = (name: string): number =>
      bytes === 4 ? reader.u32le(name) : (reader.u16le(name) << 16) >> 16;
    const range = { minimum: field("MIN"), maximum: field("MAX"), resolution: field("RES") };
    if (range.minimum > range.maximum) reader.fail(`MIN ${range.minimum} is above MAX ${range.maximum}`, at);
    ranges.push(range);
  }
  return ranges;
}
