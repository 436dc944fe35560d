// Our AC'97 driver on QEMU's AC97, unchanged: what QEMU's mixer heard is the tone, frame for frame.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeWav } from "@drydock/core/codec/wav/wav";
import { ac97Bundle } from "@drydock/core/drivers/ac97/ac97-bundle";
import { rampTone, ToneCheck } from "@drydock/core/rigs/tone";
import { openQemuAudio, startAudioOnQemu } from "../../src/transports/audio-on-qemu.ts";
import { qemuSkip } from "./qemu-disk.ts";

/** DRYDOCK_AUDIO_SECONDS: 600 for the endurance run. */
const seconds = Number(process.env.DRYDOCK_AUDIO_SECONDS ?? 10);
const rate = 48_000;
/** What QEMU's mixer holds comes out a little later. */
const tailFrames = rate / 5;

/** Looks now and then, and leaves the processor to the two that work. */
async function untilLater(isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000 + seconds * 10_000;
  while (!isDone()) {
    assert.ok(performance.now() < deadline, "the tone never ended");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test(`${seconds} s of two ramps: the WAV file that QEMU writes is the tone, bit for bit`, {
  skip: qemuSkip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-audio-"));
  const wav = join(folder, "heard.wav");
  // Buffers of 42.7 ms each: a quarter of the turns that the usual ring's interrupts cost here.
  const bundles = [ac97Bundle(undefined, 65_536)];
  const on = await startAudioOnQemu({ wav, rig: { bundles, trace: false } });
  try {
    const device = await openQemuAudio(on);
    const frames = seconds * rate;
    // QEMU's mixer takes 10 ms at once, so that interrupts come up to 10 ms early or late: the server writes 42.7 ms ahead.
    device.start({ source: rampTone(frames), ioFrames: 2048 });
    const isOver = () =>
      device.isDrained && device.playedSampleTime > (device.firstSampleTime ?? 0) + frames + tailFrames;
    await untilLater(() => isOver() || device.state === "stopped" || on.death() !== null);
    assert.deepEqual([device.lastFailure, on.death()], [null, null]);
    const counters = on.rig.driver?.counters;
    device.stop();
    await untilLater(() => device.state === "stopped");
    await on.qemu.quit();
    const { data, ...format } = decodeWav(readFileSync(wav));
    assert.deepEqual(format, { sampleRate: rate, channels: 2, bitsPerSample: 16 });
    const check = new ToneCheck(rampTone(frames), frames);
    check.hear(data);
    assert.deepEqual([check.wrongAt, check.matched], [null, frames]);
    assert.deepEqual([counters?.underruns, counters?.fifoErrors, device.overloads], [0, 0, 0]);
    assert.equal(device.clock?.jumps, 0);
  } finally {
    await on.close();
    rmSync(folder, { recursive: true });
  }
});
