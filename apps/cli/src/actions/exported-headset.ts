// A headset that is exported: a host's sound becomes a WAV file, and its microphone hears one.

import type { Clock } from "@drydock/core/base/clock";
import { encodeWav } from "@drydock/core/codec/wav/wav";
import type { UsbAudioModel } from "@drydock/core/devices/usb-audio/usb-audio-model";
import type { AudioSource } from "@drydock/core/families/audio/audio-server-device";
import { type HeadsetClass, makeHeadset } from "@drydock/core/rigs/usb-audio-rig";
import type { InputFile } from "../grammar/input-paths.ts";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { soundOf } from "./audio-play.ts";

const frameBytes = 4;
const blockBytes = 1 << 20;
/** 23 minutes at 48 kHz: what comes beyond is played to nobody, and that is said. */
const mostBlocks = 256;

/** What a microphone hears, frame by frame; after the source's end there is silence. */
export function hearing(source: AudioSource): (frame: number) => readonly [number, number] {
  const said = new Uint8Array(frameBytes);
  const view = new DataView(said.buffer);
  return (frame) => (source(frame, said) === 0 ? [0, 0] : [view.getInt16(0, true), view.getInt16(2, true)]);
}

export interface HeadsetFiles {
  /** What the microphone hears. */
  readonly hear?: InputFile;
  /** Where what a host plays goes. */
  readonly out?: OutputFile;
}

export class ExportedHeadset {
  readonly #files: HeadsetFiles;
  readonly #source: AudioSource | null;
  readonly #blocks: Uint8Array[] = [];
  #used = blockBytes;
  #dropped = 0;
  readonly #rates = new Set<number>();
  #model: UsbAudioModel | null = null;

  /** UsageError for a file that is no sound of two channels of 16 bits. */
  constructor(files: HeadsetFiles) {
    this.#files = files;
    const { hear } = files;
    this.#source = hear === undefined ? null : soundOf({ file: hear, seconds: 0 }).source;
  }

  make(kind: HeadsetClass, clock: Clock): UsbAudioModel {
    const source = this.#source;
    const model = makeHeadset(kind, {
      clock,
      ...(source === null ? {} : { hear: hearing(source) }),
      ...(this.#files.out === undefined ? {} : { onPlayed: (bytes) => this.#keep(bytes) }),
    });
    this.#model = model;
    return model;
  }

  #keep(bytes: Uint8Array): void {
    this.#rates.add(this.#model?.rate ?? 0);
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === blockBytes) {
        if (this.#blocks.length === mostBlocks) {
          this.#dropped += bytes.length - at;
          return;
        }
        this.#blocks.push(new Uint8Array(blockBytes));
        this.#used = 0;
      }
      const count = Math.min(bytes.length - at, blockBytes - this.#used);
      this.#blocks[this.#blocks.length - 1].set(bytes.subarray(at, at + count), this.#used);
      this.#used += count;
      at += count;
    }
  }

  /** At the end: the file, and what it is not. */
  write(io: CommandIo): void {
    const { out } = this.#files;
    if (out === undefined) return;
    const all = Buffer.concat(this.#blocks);
    const length = all.length - (this.#blocks.length === 0 ? 0 : blockBytes - this.#used);
    const data = all.subarray(0, length - (length % frameBytes));
    const rates = [...this.#rates];
    const sampleRate = rates.at(-1) ?? this.#model?.rate ?? 0;
    out.write(encodeWav({ sampleRate, channels: 2, bitsPerSample: 16, data }, "drydock"));
    io.say(
      `drydock: ${data.length / frameBytes} frames at ${sampleRate} Hz that a host played are in ${out.path}`,
    );
    if (rates.length > 1)
      io.say(
        `drydock: the host played at ${rates.join(", then ")} Hz; the file says the last of them for all`,
      );
    if (this.#dropped > 0)
      io.say(`drydock: ${Math.floor(this.#dropped / frameBytes)} frames more came than are kept`);
  }
}
