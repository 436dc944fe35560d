// WAV files: PCM samples in a RIFF form, in and out.
//
// Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), chapter 3; the extensible form by
// Microsoft's multiple-channel audio data page.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

/** Uncompressed samples, interleaved, little-endian, signed from 16 bits on. */
export interface WavFormat {
  /** Frames a second. */
  readonly sampleRate: number;
  readonly channels: number;
  /** 8, 16, 24 or 32. */
  readonly bitsPerSample: number;
}

export interface Wav extends WavFormat {
  /** Whole frames. */
  readonly data: Uint8Array;
}

const formatPcm = 1;
const formatExtensible = 0xfffe;
const codec = "WAV";
/** What a writer that was killed leaves in the sizes it would have filled in at its end. */
const unfinished: readonly number[] = [0, 0xffffffff];

export const frameBytesOf = (format: WavFormat): number => (format.channels * format.bitsPerSample) / 8;

/**
 * Reads a WAV file. DecodeError for anything but PCM, for sizes that do not fit, and for data that ends within a frame.
 * `isUnfinished` takes data up to the end of the file where the writer never filled its length in.
 */
export function decodeWav(bytes: Uint8Array, { isUnfinished = false } = {}): Wav {
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE")
    throw new DecodeError(codec, 0, "no RIFF file of the form WAVE");
  let format: WavFormat | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = tag(at);
    const said = getU32le(bytes, at + 4);
    const start = at + 8;
    const isOpen = isUnfinished && name === "data" && unfinished.includes(said);
    const length = isOpen ? bytes.length - start : said;
    if (start + length > bytes.length)
      throw new DecodeError(
        codec,
        at + 4,
        `the chunk "${name}" says ${said} bytes, the file has ${bytes.length - start} more`,
      );
    if (name === "fmt ") format = decodeFormat(bytes, start, length);
    if (name === "data") {
      if (format === null) throw new DecodeError(codec, at, "data before the format");
      const frameBytes = frameBytesOf(format);
      if (length % frameBytes !== 0 && !isOpen)
        throw new DecodeError(codec, at + 4, `${length} bytes are no whole frames of ${frameBytes}`);
      const whole = length - (length % frameBytes);
      return { ...format, data: bytes.subarray(start, start + whole) };
    }
    at = start + length + (length % 2);
  }
  throw new DecodeError(codec, bytes.length, "the file ends before its data");
}

function decodeFormat(bytes: Uint8Array, at: number, length: number): WavFormat {
  if (length < 16) throw new DecodeError(codec, at, `a format of ${length} bytes`);
  const tag = getU16le(bytes, at);
  const isExtensible = tag === formatExtensible && length >= 40;
  const form = isExtensible ? getU16le(bytes, at + 24) : tag;
  if (form !== formatPcm)
    throw new DecodeError(codec, at, `format 0x${form.toString(16)}: only PCM, which is 1, is read`);
  const channels = getU16le(bytes, at + 2);
  const sampleRate = getU32le(bytes, at + 4);
  const bitsPerSample = getU16le(bytes, at + 14);
  if (channels === 0 || sampleRate === 0 || ![8, 16, 24, 32].includes(bitsPerSample))
    throw new DecodeError(
      codec,
      at + 2,
      `${channels} channels of ${bitsPerSample} bits, ${sampleRate} times a second`,
    );
  const align = getU16le(bytes, at + 12);
  if (align !== (channels * bitsPerSample) / 8)
    throw new DecodeError(codec, at + 12, `frames of ${align} bytes do not fit the format`);
  return { sampleRate, channels, bitsPerSample };
}

const formatBytes = 16;

/**
 * `software` names the writer in a LIST chunk of the kind INFO. RangeError for data that do not fit the format, or 4 GiB.
 */
export function encodeWav(wav: Wav, software = ""): Uint8Array {
  const { bitsPerSample, channels, data, sampleRate } = wav;
  const frameBytes = frameBytesOf(wav);
  if (data.length % frameBytes !== 0) throw new RangeError(`${data.length} bytes are no whole frames`);
  const format = new Uint8Array(formatBytes);
  putU16le(format, 0, formatPcm);
  putU16le(format, 2, channels);
  putU32le(format, 4, sampleRate);
  putU32le(format, 8, sampleRate * frameBytes);
  putU16le(format, 12, frameBytes);
  putU16le(format, 14, bitsPerSample);
  const letters = (text: string): Uint8Array =>
    Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);
  const writer =
    software === "" ? [] : [chunk("LIST", [letters("INFO"), ...chunk("ISFT", [letters(`${software}\0`)])])];
  const parts = [letters("WAVE"), ...chunk("fmt ", [format]), ...writer.flat(), ...chunk("data", [data])];
  return joined(chunk("RIFF", parts));
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

/** Name, length, what is in it, and a byte that makes the next one even. */
function chunk(name: string, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > 0xffffffff - 8) throw new RangeError("a WAV file has less than 4 GiB");
  const head = new Uint8Array(8);
  for (let at = 0; at < 4; at++) head[at] = name.charCodeAt(at);
  putU32le(head, 4, length);
  return [head, ...parts, ...(length % 2 === 0 ? [] : [new Uint8Array(1)])];
}
