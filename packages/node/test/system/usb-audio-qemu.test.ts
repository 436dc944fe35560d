// Our USB audio driver on QEMU's usb-audio behind QEMU's xHCI: the WAV file is the tone bit for bit.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeWav } from "@drydock/core/codec/wav/wav";
import { rampTone, ToneCheck } from "@drydock/core/rigs/tone";
import { defaultUsbAudioRig } from "@drydock/core/rigs/usb-audio-rig";
import { hostTurn } from "../../src/host/host-turn.ts";
import { startUsbOnQemu } from "../../src/transports/usb-on-qemu.ts";
import { QemuImages, qemuSkip, until } from "./qemu-disk.ts";

const images = new QemuImages();
const seconds = Number(process.env.DRYDOCK_AUDIO_SECONDS ?? 2);
const frames = seconds * 48_000;
/** QEMU's usb-audio is at unity at the top of its range, 8 dB, and nowhere else. */
const unityDecibel = 8;

test(`${seconds} s on QEMU's usb-audio: its WAV file is the tone, every packet was on the wire`, {
  skip: qemuSkip,
}, async (context) => {
  const wav = join(images.folder, "out.wav");
  const backend = `wav,id=a0,path=${wav},out.frequency=48000,out.channels=2,out.format=s16`;
  const on = await startUsbOnQemu({
    build: () => defaultUsbAudioRig(1, hostTurn, { isPluggedIn: false, trace: false }),
    pace: "lockstep",
    devices: ["-audiodev", backend, "-device", "usb-audio,audiodev=a0,bus=x.0,id=a"],
  });
  const source = rampTone(frames);
  try {
    const { audio, machine } = on.rig;
    await until(() => audio.devices.length > 0, `a device: ${on.rig.whyNoDevice().join("; ")}`);
    const [device] = audio.devices;
    assert.equal(device.name, "QEMU USB Audio");
    on.runner.ready(() => device.setVolume(unityDecibel), undefined);
    const settledNs = machine.scheduler.nowNs() + 20e6;
    await until(() => machine.scheduler.nowNs() > settledNs, "the volume");
    on.runner.ready(() => assert.equal(device.start({ source }), true), undefined);
    const isOver = () => device.isDrained || device.lastFailure !== null;
    await until(isOver, "the end of the tone", 60_000 + seconds * 2000);
    assert.equal(device.lastFailure, null);
    const counters = on.rig.driver?.engines[0].counters;
    assert.deepEqual([counters?.lostPackets, counters?.brokenPackets, device.overloads], [0, 0, 0]);
    assert.deepEqual([on.host.failure, on.problems, on.host.counters.complaints], [null, [], 0]);
    context.diagnostic(`${counters?.packets} packets, ${device.clock?.timestamps} zero timestamps`);
    // What its mixer still holds, and a header that is whole.
    const laterNs = machine.scheduler.nowNs() + 200e6;
    await until(() => machine.scheduler.nowNs() > laterNs, "the rest of it");
    await on.qemu.qmp.execute("quit").catch(() => {});
    await until(() => on.death() !== null, "its end");
  } finally {
    await on.close();
  }
  const check = new ToneCheck(source, frames);
  check.hear(decodeWav(readFileSync(wav)).data);
  assert.deepEqual([check.wrongAt, check.matched], [null, frames]);
});
