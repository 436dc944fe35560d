// The AC'97 driver on the model: sound that is the tone bit for bit, clocks that are off, ends of every kind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Ac97Mixer } from "../../codec/ac97/ac97.ts";
import type { AudioServerDevice } from "../../families/audio/audio-server-device.ts";
import { type AudioRig, type AudioRigOptions, defaultAudioRig } from "../../rigs/audio-rig.ts";
import { rampTone, ToneCheck } from "../../rigs/tone.ts";
import { describeTeardown, TeardownWatch } from "../../trials/teardown-watch.ts";

const rate = 48_000;

async function playing(frames: number, options: Partial<AudioRigOptions> = {}) {
  const source = rampTone(frames);
  const check = new ToneCheck(source, frames);
  const rig = defaultAudioRig(16, hostTurn, {
    trace: false,
    ...options,
    device: { ...options.device, onPlayed: (bytes) => check.hear(bytes) },
  });
  const device = await rig.openDevice();
  assert.equal(device.start({ source }), true);
  return { rig, device, check };
}

async function untilDrained(rig: AudioRig, device: AudioServerDevice, seconds: number): Promise<void> {
  const { scheduler } = rig.machine;
  await scheduler.run(
    scheduler.nowNs() + seconds * 1e9,
    () => device.isDrained || device.state === "stopped",
  );
  assert.equal(device.lastFailure, null);
  device.stop();
  await scheduler.run(scheduler.nowNs() + 1e9, () => device.state === "stopped");
}

test("three seconds of two ramps come out frame for frame, and nothing is left afterwards", async () => {
  const { rig, device, check } = await playing(3 * rate);
  await untilDrained(rig, device, 5);
  assert.deepEqual([check.wrongAt, check.matched], [null, 3 * rate]);
  assert.equal(device.firstSampleTime, check.leadFrames);
  assert.equal(rig.device.hearing.ranDry, 0);
  assert.equal(device.overloads, 0);
  assert.equal(device.clock?.jumps, 0);
  assert.equal(rig.pci.iommu.refusedCount, 0);
  assert.equal(rig.pci.iommu.mappings.size, 0);
  assert.equal(rig.device.isEngineOn, false);
});

for (const partsPerMillion of [-300, 300])
  test(`a crystal that is off by ${partsPerMillion} parts in a million is followed for a minute`, async () => {
    const { rig, device, check } = await playing(60 * rate, { device: { partsPerMillion } });
    await untilDrained(rig, device, 62);
    assert.equal(check.isWhole, true, `wrong at ${check.wrongAt}`);
    const measured = ((device.clock?.rateScalar ?? 0) - 1) * 1e6;
    assert.ok(Math.abs(measured - partsPerMillion) < 20, `${measured} parts in a million`);
    assert.equal(device.overloads, 0);
  });

test("another rate: I/O stands still for the change, goes on at 44.1 kHz, and its ramps are whole", async () => {
  const { rig, device } = await playing(rate);
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + 0.3e9);
  device.setSampleRate(44_100);
  await scheduler.run(scheduler.nowNs() + 0.1e9);
  assert.equal(device.state, "running");
  assert.equal(device.device.getSampleRate(), 44_100);
  assert.equal(device.device.streams[0].getCurrentStreamFormat()?.sampleRate, 44_100);
  assert.equal(rig.device.mixer.frontRate, 44_100);
  const before = rig.device.hearing.frames;
  const at = scheduler.nowNs();
  await scheduler.run(at + 1e9);
  assert.ok(Math.abs(rig.device.hearing.frames - before - 44_100) <= 128);
  device.setSampleRate(96_000);
  await scheduler.run(scheduler.nowNs() + 0.1e9);
  assert.equal(device.device.getSampleRate(), 44_100);
});

test("volume: full scale of the PCM register is not unity by the specification, and is heard so", async () => {
  const { rig, device, check } = await playing(rate);
  rig.device.mixer.write(Ac97Mixer.pcmOutVolume, 0);
  await untilDrained(rig, device, 3);
  assert.notEqual(check.wrongAt, null);
});

test("mute and volume reach the codec's master register, in steps of 1.5 dB, and nothing beyond its range", async () => {
  const { rig, device } = await playing(rate);
  const { scheduler } = rig.machine;
  const master = () => rig.device.mixer.read(Ac97Mixer.masterVolume);
  const settled = () => scheduler.run(scheduler.nowNs() + 10e6);
  device.setVolume(-6);
  await settled();
  assert.equal(master(), 0x0404);
  device.setVolume(-200);
  await settled();
  assert.equal(master(), 0x1f1f);
  device.setMute(true);
  await settled();
  assert.equal(master(), 0x9f1f);
});

test("a server that is asked for more lead than the ring holds says so, and no engine runs", async () => {
  const rig = defaultAudioRig(1, hostTurn);
  const device = await rig.openDevice();
  device.start({ source: rampTone(100), ioFrames: 16_384 });
  await rig.machine.scheduler.run(rig.machine.scheduler.nowNs() + 1e9);
  assert.match(device.lastFailure?.why ?? "", /do not fit a ring of 16384/);
  assert.equal(rig.device.isEngineOn, false);
});

test("pulled while it plays, and put in again: nothing stays mapped, it plays once more", async () => {
  const { rig, device } = await playing(10 * rate);
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + 0.5e9);
  rig.pci.bus.unplug(1);
  await scheduler.run(scheduler.nowNs() + 1e9);
  assert.equal(device.state, "gone");
  assert.equal(rig.pci.iommu.mappings.size, 0);
  assert.equal(rig.machine.failure, null);
  assert.deepEqual(rig.machine.crashes, []);
  rig.pci.bus.plugIn(rig.device, 1);
  const again = await rig.openDevice();
  again.start({ source: rampTone(rate) });
  await scheduler.run(scheduler.nowNs() + 3e9, () => again.isDrained);
  assert.equal(again.isDrained, true);
});

test("terminated while it plays: engine off, bus master off, read back, then the mappings go", async () => {
  const { rig } = await playing(10 * rate);
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + 0.5e9);
  const { driver } = rig;
  assert.ok(driver !== null);
  const watch = new TeardownWatch(scheduler, rig.pci, rig.device);
  rig.machine.terminate(driver);
  await rig.machine.run();
  assert.equal(watch.report().windowNs, 0, describeTeardown(watch.report()));
  assert.equal(rig.pci.iommu.mappings.size, 0);
  assert.equal(rig.device.isEngineOn, false);
});
