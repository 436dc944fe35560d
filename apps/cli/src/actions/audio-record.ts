// drydock audio record: what a headset's microphone hears, through driver and audio server, as a WAV file.

import { encodeWav } from "@drydock/core/codec/wav/wav";
import { ToneCheck } from "@drydock/core/rigs/tone";
import type { InputFile } from "../grammar/input-paths.ts";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { soundOf } from "./audio-play.ts";
import { hearing } from "./exported-headset.ts";
import { untilInterrupted } from "./interruption.ts";
import { recordingFor, writeRecordings } from "./recording-files.ts";
import { type SoundRigName, soundRigOf } from "./sound-rig.ts";

interface AudioRecordOptions {
  readonly file?: InputFile;
  readonly seconds: number;
  readonly out?: OutputFile;
  readonly crystal: number;
  readonly on: Exclude<SoundRigName, "audio">;
  readonly seed: number;
  readonly perfetto?: OutputFile;
  readonly json: boolean;
}

const sliceNs = 1e9;

export async function recordAudio(options: AudioRecordOptions, io: CommandIo): Promise<ExitCode> {
  const { crystal, out, seed } = options;
  const { source, frames, sampleRate } = soundOf(options);
  const check = new ToneCheck(source, frames);
  const recorded: Uint8Array[] = [];
  const rig = soundRigOf(options.on, seed, recordingFor(options), {
    partsPerMillion: crystal,
    hear: hearing(source),
  });
  const { scheduler } = rig.machine;
  const device = await rig.open("input");
  if (sampleRate !== device.device.getSampleRate()) {
    device.setSampleRate(sampleRate);
    await scheduler.run(scheduler.nowNs() + sliceNs);
  }
  device.start({
    sink: (_frame, bytes) => {
      check.hear(bytes);
      if (out !== undefined) recorded.push(bytes.slice());
    },
  });
  const interruption = untilInterrupted();
  const deadlineNs = scheduler.nowNs() + (frames / sampleRate) * 1e9 + 10e9;
  const isOver = (): boolean =>
    check.matched === frames || check.wrongAt !== null || device.state === "stopped" || device.isGone;
  while (!isOver() && !interruption.isOver() && scheduler.nowNs() < deadlineNs) {
    await scheduler.run(Math.min(deadlineNs, scheduler.nowNs() + sliceNs), isOver);
    io.progress(`${(check.matched / sampleRate).toFixed(0)} of ${(frames / sampleRate).toFixed(0)} s`);
  }
  interruption.end();
  device.stop();
  await scheduler.run(scheduler.nowNs() + sliceNs, () => device.state === "stopped");
  out?.write(
    encodeWav({ sampleRate, channels: 2, bitsPerSample: 16, data: Buffer.concat(recorded) }, "drydock"),
  );
  writeRecordings({ timeline: rig.timeline, trace: null }, options, io);
  const failure = device.lastFailure;
  if (options.json)
    io.document({
      frames,
      sampleRate,
      recorded: check.matched,
      wrongAt: check.wrongAt,
      leadFrames: check.leadFrames,
      ...rig.counters(),
      failure: failure === null ? null : `${failure.call}: ${failure.why}`,
    });
  else {
    io.print(
      `${check.isWhole ? "every frame" : `${check.matched} frames`} of ${frames} at ${sampleRate} Hz recorded in order${check.wrongAt === null ? "" : `; frame ${check.wrongAt} was wrong`}\n${rig.account()}\n`,
    );
    if (failure !== null) io.event(`drydock: ${failure.call}: ${failure.why}`);
  }
  if (interruption.isOver()) return exitCodes.interrupted;
  return check.isWhole ? exitCodes.pass : exitCodes.finding;
}
