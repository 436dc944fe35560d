// The USB audio driver on headsets of both classes: bit for bit, crystals that are off, bad feedback.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import type { AudioServerDevice } from "../../families/audio/audio-server-device.ts";
import { rampTone, ToneCheck } from "../../rigs/tone.ts";
import {
  defaultUsbAudioRig,
  type HeadsetClass,
  type UsbAudioRig,
  type UsbAudioRigOptions,
} from "../../rigs/usb-audio-rig.ts";
import { usbPaths } from "../../rigs/usb-paths.ts";

const rate = 48_000;

async function playing(headset: HeadsetClass, frames: number, options: Partial<UsbAudioRigOptions> = {}) {
  const source = rampTone(frames);
  const check = new ToneCheck(source, frames);
  const rig = defaultUsbAudioRig(16, hostTurn, {
    trace: false,
    headset,
    ...options,
    device: { ...options.device, onPlayed: (bytes) => check.hear(bytes) },
  });
  const device = await rig.openDevice();
  return { rig, device, check, source };
}

async function untilDrained(rig: UsbAudioRig, device: AudioServerDevice, seconds: number): Promise<void> {
  const { scheduler } = rig.machine;
  await scheduler.run(
    scheduler.nowNs() + seconds * 1e9,
    () => device.isDrained || device.state === "stopped",
  );
  assert.equal(device.lastFailure, null);
  device.stop();
  await scheduler.run(scheduler.nowNs() + 1e9, () => device.state === "stopped");
  assert.equal(device.state, "stopped");
}

for (const headset of [1, 2] as const)
  describe(`a headset of audio class ${headset}`, () => {
    test("two seconds of two ramps come out frame for frame, a packet in each interval, and nothing is left", async () => {
      const { rig, device, check, source } = await playing(headset, 2 * rate);
      assert.equal(device.start({ source }), true);
      await untilDrained(rig, device, 4);
      assert.deepEqual([check.wrongAt, check.matched], [null, 2 * rate]);
      assert.equal(device.firstSampleTime, check.leadFrames);
      const { counters } = rig.device;
      assert.deepEqual([counters.missed, counters.broken], [0, 0]);
      assert.ok(counters.packets > (headset === 1 ? 2000 : 16_000));
      assert.equal(device.overloads, 0);
      assert.equal(device.clock?.jumps, 0);
      assert.deepEqual(rig.machine.crashes, []);
    });

    for (const partsPerMillion of [-300, 300])
      test(`a crystal that is off by ${partsPerMillion} parts in a million is followed by its feedback for 20 s`, async () => {
        const { rig, device, check, source } = await playing(headset, 20 * rate, {
          device: { partsPerMillion },
        });
        device.start({ source });
        await untilDrained(rig, device, 22);
        assert.equal(check.isWhole, true, `wrong at ${check.wrongAt}`);
        // Without feedback it were 288.
        assert.ok(Math.abs(rig.device.drift) < 10, `${rig.device.drift} frames`);
        const measured = ((device.clock?.rateScalar ?? 0) - 1) * 1e6;
        assert.ok(Math.abs(measured - partsPerMillion) < 20, `${measured} parts in a million`);
        assert.equal(device.overloads, 0);
      });

    for (const path of ["usbip", "xhci"] as const)
      test(`the same by way of ${path}, our transport on our own other end`, async () => {
        const { rig, device, check, source } = await playing(headset, rate / 2, { path: usbPaths[path] });
        assert.equal(device.start({ source }), true);
        await untilDrained(rig, device, 4);
        assert.deepEqual([check.wrongAt, check.matched], [null, rate / 2]);
        assert.deepEqual([rig.device.counters.missed, device.overloads], [0, 0]);
      });

    test("recording: what the microphone says, frame for frame", async () => {
      const { rig } = await playing(headset, 1);
      const { scheduler } = rig.machine;
      const input = await rig.openDevice("input");
      const heard: Uint8Array[] = [];
      assert.equal(input.start({ sink: (_frame, bytes) => heard.push(bytes.slice()) }), true);
      await scheduler.run(scheduler.nowNs() + 2e9);
      input.stop();
      await scheduler.run(scheduler.nowNs() + 1e9, () => input.state === "stopped");
      assert.equal(input.lastFailure, null);
      const frames = 60_000;
      const check = new ToneCheck(rampTone(frames), frames);
      check.hear(Buffer.concat(heard).subarray(0, frames * 4));
      assert.equal(check.wrongAt, null);
      assert.ok(check.matched + check.leadFrames >= frames - 1, `${check.matched} frames`);
    });

    test("44.1 kHz: both ways follow one clock, the ramps are whole", async () => {
      const { rig, device, source } = await playing(headset, 10 * rate);
      const { scheduler } = rig.machine;
      device.start({ source });
      await scheduler.run(scheduler.nowNs() + 0.2e9);
      device.setSampleRate(44_100);
      await scheduler.run(scheduler.nowNs() + 0.5e9);
      assert.equal(device.state, "running");
      assert.equal(rig.device.rate, 44_100);
      const { bytes, missed } = rig.device.counters;
      await scheduler.run(scheduler.nowNs() + 1e9);
      assert.ok(Math.abs((rig.device.counters.bytes - bytes) / 4 - 44_100) <= 50);
      assert.equal(rig.device.counters.missed, missed);
      device.setSampleRate(8_001);
      await scheduler.run(scheduler.nowNs() + 0.2e9);
      assert.equal(rig.device.rate, 44_100);
    });

    test("volume in the device's steps, mute, and nothing beyond its range", async () => {
      const { rig, device } = await playing(headset, 1);
      const { scheduler } = rig.machine;
      const settled = () => scheduler.run(scheduler.nowNs() + 50e6);
      device.setVolume(-10.4);
      await settled();
      assert.deepEqual(rig.device.volumes, [-10 * 256, -10 * 256]);
      device.setVolume(-200);
      await settled();
      assert.deepEqual(rig.device.volumes, [-60 * 256, -60 * 256]);
      device.setMute(true);
      await settled();
      assert.equal(rig.device.volumes, null);
    });

    // USB 2.0 §5.12.4.2 with values that no device of this rate can mean: zeros, ones, twice the rate, two bytes.
    for (const [what, said] of [
      ["zeros", [0, 0, 0, 0]],
      ["ones", [255, 255, 255, 255]],
      ["twice the rate", headset === 1 ? [0, 0, 0x18] : [0, 0, 12, 0]],
      ["two bytes", [0, 0]],
    ] as const)
      test(`feedback out of range (${what}): it is counted, and the nominal rate goes on`, async () => {
        const { rig, device, check, source } = await playing(headset, rate / 2, {
          device: { feedback: () => Uint8Array.from(said) },
        });
        device.start({ source });
        const { scheduler } = rig.machine;
        await scheduler.run(scheduler.nowNs() + 0.3e9);
        const counters = rig.driver?.engines[0].counters;
        assert.ok((counters?.badFeedbacks ?? 0) > 20, `${counters?.badFeedbacks}`);
        assert.equal(counters?.feedbacks, 0);
        await untilDrained(rig, device, 3);
        assert.equal(check.isWhole, true, `wrong at ${check.wrongAt}`);
        assert.ok(Math.abs(rig.device.drift) < 10);
      });

    test("a feedback endpoint that never answers", async () => {
      const { rig, device, check, source } = await playing(headset, rate / 2, {
        device: { feedback: () => null },
      });
      device.start({ source });
      await untilDrained(rig, device, 3);
      assert.equal(check.isWhole, true, `wrong at ${check.wrongAt}`);
    });

    test("pulled while it plays and records, and put in again: it plays once more", async () => {
      const { rig, device, source } = await playing(headset, 10 * rate);
      const { scheduler } = rig.machine;
      const input = await rig.openDevice("input");
      device.start({ source });
      input.start({ sink: () => {} });
      await scheduler.run(scheduler.nowNs() + 0.5e9);
      rig.usb.bus.unplug(1);
      await scheduler.run(scheduler.nowNs() + 1e9);
      assert.deepEqual([device.state, input.state], ["gone", "gone"]);
      assert.equal(rig.machine.failure, null);
      assert.deepEqual(rig.machine.crashes, []);
      rig.usb.bus.plugIn(rig.device, 1);
      const again = await rig.openDevice();
      again.start({ source: rampTone(rate) });
      await scheduler.run(scheduler.nowNs() + 3e9, () => again.isDrained);
      assert.equal(again.isDrained, true);
    });
  });
