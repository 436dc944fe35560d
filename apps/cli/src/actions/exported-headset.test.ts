// An exported headset: a host's sound as a WAV file, a WAV file as what it hears; our driver is the host here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeWav, encodeWav } from "@drydock/core/codec/wav/wav";
import { rampTone, sampleSource, ToneCheck } from "@drydock/core/rigs/tone";
import { defaultUsbAudioRig } from "@drydock/core/rigs/usb-audio-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { recordedIo } from "../../test/recorded-io.ts";
import { exportUsbip } from "../commands/export-usbip.ts";
import { exportUsbredir } from "../commands/export-usbredir.ts";
import type { OutputFile } from "../grammar/output-paths.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { ExportedHeadset } from "./exported-headset.ts";

const rate = 48_000;
const frames = rate / 2;

function wavOf(data: Uint8Array, channels = 2) {
  const bytes = Buffer.from(encodeWav({ sampleRate: rate, channels, bitsPerSample: 16, data }));
  return { path: "speech.wav", label: "speech.wav", bytes: () => bytes };
}

/** A file in memory. */
function kept() {
  const written: Uint8Array[] = [];
  const file = {
    path: "heard.wav",
    write: (bytes: Uint8Array) => written.push(bytes),
  } as unknown as OutputFile;
  return { file, written };
}

/** No ramp: what comes back must be the file's. */
function speech(): Uint8Array {
  const data = new Uint8Array(frames * 4);
  for (let index = 0; index < data.length; index++) data[index] = 1 + ((index * 73) % 251);
  return data;
}

for (const kind of [1, 2] as const)
  test(`class ${kind}: what a host plays is the file's, frame for frame; what it records is the other file's`, async () => {
    const { file, written } = kept();
    const said = speech();
    const headset = new ExportedHeadset({ hear: wavOf(said), out: file });
    const rig = defaultUsbAudioRig(5, hostTurn, { isPluggedIn: false, trace: false });
    const { scheduler } = rig.machine;
    rig.usb.bus.plugIn(headset.make(kind, scheduler), 1);
    const [speaker, microphone] = [await rig.openDevice("output"), await rig.openDevice("input")];
    const source = rampTone(frames);
    const recorded = new ToneCheck(sampleSource(said), frames);
    speaker.start({ source });
    microphone.start({ sink: (_frame, bytes) => recorded.hear(bytes) });
    await scheduler.run(scheduler.nowNs() + 3e9, () => speaker.isDrained && recorded.matched === frames);
    assert.deepEqual([recorded.wrongAt, recorded.matched], [null, frames]);
    await scheduler.run(scheduler.nowNs() + 0.1e9);
    const io = recordedIo();
    headset.write(io);
    const wav = decodeWav(written[0]);
    assert.deepEqual([wav.sampleRate, wav.channels, wav.bitsPerSample], [rate, 2, 16]);
    const played = new ToneCheck(source, frames);
    played.hear(wav.data);
    assert.deepEqual([played.wrongAt, played.matched], [null, frames]);
    assert.match(io.said(), new RegExp(`${wav.data.length / 4} frames at 48000 Hz .* heard\\.wav`));
  });

test("a host that plays at two rates: the file has the last one, and that is said", async () => {
  const { file, written } = kept();
  const headset = new ExportedHeadset({ out: file });
  const rig = defaultUsbAudioRig(6, hostTurn, { isPluggedIn: false, trace: false });
  const { scheduler } = rig.machine;
  rig.usb.bus.plugIn(headset.make(1, scheduler), 1);
  const speaker = await rig.openDevice("output");
  speaker.start({ source: rampTone(10 * rate) });
  await scheduler.run(scheduler.nowNs() + 0.3e9);
  speaker.setSampleRate(44_100);
  await scheduler.run(scheduler.nowNs() + 0.5e9);
  const io = recordedIo();
  headset.write(io);
  assert.equal(decodeWav(written[0]).sampleRate, 44_100);
  assert.match(io.said(), /played at 48000, then 44100 Hz; the file says the last of them/);
});

test("a host that plays nothing leaves a WAV file without a frame", () => {
  const { file, written } = kept();
  const headset = new ExportedHeadset({ out: file });
  headset.make(2, { nowNs: () => 0 } as never);
  headset.write(recordedIo());
  assert.equal(decodeWav(written[0]).data.length, 0);
});

test("a file that is no stereo of 16 bits is refused by its name, and both options by what they are about", () => {
  assert.throws(
    () => new ExportedHeadset({ hear: wavOf(new Uint8Array(8), 1) }),
    (error) => error instanceof UsageError && /speech\.wav has 1 channel of 16 bits/.test(error.message),
  );
  for (const { judge } of [exportUsbip, exportUsbredir])
    for (const name of ["hear", "out"]) {
      const options = { rig: { name: "disk" }, device: [], quirk: [], badBlocks: [], [name]: {} };
      assert.throws(() => judge?.(options as never, {} as never), new RegExp(`--${name} is about a headset`));
      assert.throws(() => judge?.({ ...options, rig: undefined } as never, {} as never), UsageError);
      judge?.({ ...options, rig: { name: "headset-2" } } as never, {} as never);
    }
});
