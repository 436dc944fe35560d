// Linux's snd-usb-audio plays and records on our headset over USB/IP: every sample as it was, no packet lost.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { UsbAudioDevice } from "@drydock/core/devices/usb-audio/usb-audio-device";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import type { Listener } from "@drydock/node/socket-stream";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { complaints } from "../guest/kernel-complaints.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const wish = { programs: ["aplay", "arecord"], modules: ["snd-usb-audio"] };
const skip = guestSkip(wish);
/** DRYDOCK_AUDIO_SECONDS: 600 for the endurance run. */
const seconds = Number(process.env.DRYDOCK_AUDIO_SECONDS ?? 1);
/** How much slower than the wall our side goes. */
const slowness = 4;
const rate = 48_000;
const frameBytes = 4;
/** ALSA waits for a period no longer than its buffer plays, in its own time, which is faster than ours. */
const room = "--buffer-size=48000 --period-size=2400";

/** Two ramps, left and right: a slip, a swap or a repeat shows at its first frame. */
function ramps(frames: number): Uint8Array {
  const bytes = new Uint8Array(frames * frameBytes);
  const view = new DataView(bytes.buffer);
  for (let frame = 0; frame < frames; frame++) {
    view.setInt16(frame * frameBytes, (frame * 7) % 32768, true);
    view.setInt16(frame * frameBytes + 2, (frame * 13) % 32768, true);
  }
  return bytes;
}

describe("a Linux guest with our headset", { skip }, () => {
  let guest: LinuxGuest;
  let rig: UsbExportRig;
  let runner: LiveRunner;
  let listener: Listener;
  const played: Uint8Array[] = [];
  let device: UsbAudioDevice;

  before(async () => {
    rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false });
    device = new UsbAudioDevice({
      clock: rig.scheduler,
      sync: "asynchronous",
      onPlayed: (bytes) => played.push(bytes.slice()),
    });
    rig.usb.bus.plugIn(device, 1);
    // The guest's processor is emulated: in real time it is too slow for its own queue of 24 ms, now and then.
    runner = new LiveRunner(rig.scheduler, 1 / slowness);
    void runner.start();
    listener = await listenUsbip(rig.server, { port: 0, steps: runner });
    guest = await LinuxGuest.boot(wish);
    await guest.run("modprobe -a vhci-hcd snd-usb-audio");
    await guest.clearDmesg();
    await guest.attach(listener.port, "1-1");
    await guest.waitFor("cat /proc/asound/cards", /USB headset|Headset|headset/, 30_000);
    await guest.put("/tmp/alsa.conf", Buffer.from("pcm.usb { type hw card 0 device 0 }\n"));
  });
  after(async () => {
    await guest?.stop();
    rig?.server.close();
    await listener?.close();
    await runner?.stop();
  });

  test(`aplay: ${seconds} s of two ramps arrive frame for frame, no packet lost`, async (context) => {
    const tone = ramps(seconds * rate);
    await guest.put("/tmp/tone", Buffer.from(tone));
    const play = `ALSA_CONFIG_PATH=/tmp/alsa.conf aplay -q -t raw -D usb -f S16_LE -r 48000 -c 2 ${room} /tmp/tone`;
    assert.equal(await guest.run(`${play} 2>&1`, (seconds * slowness + 60) * 1000), "");
    await until("all of it is played", () => Buffer.concat(played).length >= tone.length);
    const heard = Buffer.concat(played);
    const start = heard.indexOf(Buffer.from(tone.subarray(0, 64)));
    assert.ok(start >= 0 && start % frameBytes === 0, `the tone begins at ${start}`);
    assert.ok(heard.subarray(start, start + tone.length).equals(Buffer.from(tone)), "every sample");
    // No packet of the stream is lost, or a sample would be. Intervals without one are the emulated guest's lateness.
    context.diagnostic(`${device.counters.packets} packets, ${device.counters.missed} intervals without one`);
    assert.equal(device.counters.bytes, heard.length);
    assert.ok(device.counters.feedbacks > 0, "the feedback endpoint is asked");
  });

  test("arecord: half a second of what the microphone hears, frame for frame", async () => {
    const record = `ALSA_CONFIG_PATH=/tmp/alsa.conf arecord -q -t raw -D usb -f S16_LE -r 48000 -c 2 ${room} -s 24000 /tmp/in`;
    assert.equal(await guest.run(`${record} 2>&1`, 60_000), "");
    const recorded = await guest.get("/tmp/in");
    assert.equal(recorded.length, (rate / 2) * frameBytes);
    const tone = Buffer.from(ramps(32768 * 2));
    const start = tone.indexOf(recorded.subarray(0, 64));
    assert.ok(
      start >= 0 && start % frameBytes === 0,
      `it begins with ${recorded.subarray(0, 16).toString("hex")}`,
    );
    let wrong = -1;
    for (let at = 0; at < recorded.length && wrong < 0; at++)
      if (recorded[at] !== tone[(start + at) % (32768 * frameBytes)]) wrong = at;
    assert.equal(wrong, -1, "the first byte that is another");
  });

  test("the kernel complains of nothing", async () => {
    // vhci_hcd has no frame numbers, and says so each time it is asked.
    const isFrameNumber = /Not yet implemented|vhci_get_frame_number/;
    const lines = (await complaints(guest)).filter((line) => !isFrameNumber.test(line));
    assert.deepEqual(lines, []);
  });
});
