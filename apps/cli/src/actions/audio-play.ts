// drydock audio play: virtual seconds of sound, held against the source frame by frame.

import { DecodeError } from "@drydock/core/base/errors";
import { shown } from "@drydock/core/base/shown-text";
import { decodeWav, encodeWav, type Wav } from "@drydock/core/codec/wav/wav";
import type { AudioSource } from "@drydock/core/families/audio/audio-server-device";
import { rampTone, sampleSource, ToneCheck } from "@drydock/core/rigs/tone";
import type { InputFile } from "../grammar/input-paths.ts";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { untilInterrupted } from "./interruption.ts";
import { recordingFor, writeRecordings } from "./recording-files.ts";
import { type SoundRigName, soundRigOf } from "./sound-rig.ts";

interface AudioPlayOptions {
  readonly file?: InputFile;
  readonly seconds: number;
  readonly out?: OutputFile;
  readonly crystal: number;
  readonly on: SoundRigName;
  readonly seed: number;
  readonly perfetto?: OutputFile;
  readonly json: boolean;
}

const rampRate = 48_000;
const frameBytes = 4;
const stopNs = 1e9;
const sliceNs = 1e9;

interface Sound {
  readonly source: AudioSource;
  readonly frames: number;
  readonly sampleRate: number;
}

export async function playAudio(options: AudioPlayOptions, io: CommandIo): Promise<ExitCode> {
  const { crystal, out, seed } = options;
  const { source, frames, sampleRate } = soundOf(options);
  const check = new ToneCheck(source, frames);
  const heard: Uint8Array[] = [];
  const rig = soundRigOf(options.on, seed, recordingFor(options), {
    partsPerMillion: crystal,
    onPlayed: (bytes) => {
      check.hear(bytes);
      if (out !== undefined) heard.push(bytes.slice());
    },
  });
  const { scheduler } = rig.machine;
  const device = await rig.open();
  if (sampleRate !== device.device.getSampleRate()) {
    device.setSampleRate(sampleRate);
    await scheduler.run(scheduler.nowNs() + sliceNs);
  }
  device.start({ source });
  const interruption = untilInterrupted();
  const deadlineNs = scheduler.nowNs() + (frames / sampleRate) * 1e9 + 10e9;
  const isOver = (): boolean => device.isDrained || device.state === "stopped" || device.isGone;
  while (!isOver() && !interruption.isOver() && scheduler.nowNs() < deadlineNs) {
    await scheduler.run(Math.min(deadlineNs, scheduler.nowNs() + sliceNs), isOver);
    io.progress(`${(device.framesWritten / sampleRate).toFixed(0)} of ${(frames / sampleRate).toFixed(0)} s`);
  }
  interruption.end();
  device.stop();
  await scheduler.run(scheduler.nowNs() + stopNs, () => device.state === "stopped");
  out?.write(
    encodeWav({ sampleRate, channels: 2, bitsPerSample: 16, data: Buffer.concat(heard) }, "drydock"),
  );
  writeRecordings({ timeline: rig.timeline, trace: null }, options, io);
  const result = {
    frames,
    sampleRate,
    heard: check.matched,
    wrongAt: check.wrongAt,
    leadFrames: check.leadFrames,
    overloads: device.overloads,
    timestamps: device.clock?.timestamps ?? 0,
    timestampJumps: device.clock?.jumps ?? 0,
    clockPartsPerMillion: Math.round(((device.clock?.rateScalar ?? 1) - 1) * 1e6),
    ...rig.counters(),
    failure: device.lastFailure === null ? null : `${device.lastFailure.call}: ${device.lastFailure.why}`,
  };
  if (options.json) io.document(result);
  else {
    io.print(
      `${check.isWhole ? "every frame" : `${check.matched} frames`} of ${frames} at ${sampleRate} Hz heard in order${check.wrongAt === null ? "" : `; frame ${check.wrongAt} was wrong`}\n` +
        `after ${check.leadFrames} frames of silence; the hardware's clock measured ${result.clockPartsPerMillion} parts in a million off\n` +
        `${rig.account()}, ${result.timestamps} zero timestamps, ${result.overloads} overloads\n`,
    );
    if (result.failure !== null) io.event(`drydock: ${result.failure}`);
  }
  if (interruption.isOver()) return exitCodes.interrupted;
  return check.isWhole ? exitCodes.pass : exitCodes.finding;
}

/** A file's samples, or ramps. */
export function soundOf({ file, seconds }: Pick<AudioPlayOptions, "file" | "seconds">): Sound {
  if (file === undefined) {
    const frames = seconds * rampRate;
    return { source: rampTone(frames), frames, sampleRate: rampRate };
  }
  let wav: Wav;
  try {
    wav = decodeWav(file.bytes());
  } catch (error) {
    if (error instanceof DecodeError) throw new UsageError(`${file.label}: ${shown(error.message)}`);
    throw error;
  }
  return soundOfWav(wav, file.label);
}

function soundOfWav(wav: Wav, label: string): Sound {
  const { bitsPerSample, channels, data, sampleRate } = wav;
  if (channels !== 2 || bitsPerSample !== 16 || (sampleRate !== 48_000 && sampleRate !== 44_100))
    throw new UsageError(
      `${label} has ${channels} channel${channels === 1 ? "" : "s"} of ${bitsPerSample} bits at ${sampleRate} Hz; this takes two of 16 bits at 48000 or 44100 Hz: convert it first`,
    );
  if (data.length === 0) throw new UsageError(`${label} has no samples`);
  return { source: sampleSource(data), frames: data.length / frameBytes, sampleRate };
}
