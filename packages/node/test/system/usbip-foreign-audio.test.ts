// Our USB audio driver on Linux's audio gadgets of both classes, over USB/IP: descriptors, clocks, volumes, settings.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { rampTone } from "@drydock/core/rigs/tone";
import { defaultUsbAudioRig } from "@drydock/core/rigs/usb-audio-rig";
import { UsbipImporter } from "@drydock/core/transports/usbip/usbip-importer";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { connectSocket } from "@drydock/node/socket-stream";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const wish = { programs: ["amixer"], modules: ["usb_f_uac1", "usb_f_uac2", "usbip-vudc"] };
/** Where usbipd offers gadgets: 3240 is for devices. */
const gadgetPort = 3241;
const busId = "usbip-vudc.0";

/**
 * No isochronous data: Linux's vudc moves none (6.1), and dummy_hcd has no isochronous endpoints. So these are opposite numbers for
 * what a driver reads, sets and selects, and for an end with transfers that nobody answers.
 */
describe("our audio driver on gadgets that nobody here wrote", { skip: guestSkip(wish) }, () => {
  let guest: LinuxGuest;

  before(async () => {
    guest = await LinuxGuest.boot({ ...wish, forward: [gadgetPort] });
    await guest.run(
      `modprobe -a usbip-vudc libcomposite && mount -t configfs c /sys/kernel/config
       usbipd -D --device --tcp-port ${gadgetPort}
       echo 'ctl.gadget { type hw card 0 }' > /tmp/alsa.conf; export ALSA_CONFIG_PATH=/tmp/alsa.conf`,
    );
  });
  after(async () => {
    await guest?.stop();
  });

  for (const kind of ["uac1", "uac2"] as const)
    test(`f_${kind}: it comes up with its rates, Linux sees volume, mute and rate; it starts and stops`, async () => {
      const gadget = `/sys/kernel/config/usb_gadget/${kind}`;
      await guest.run(
        `g=${gadget}; mkdir $g; echo 0x1d6b > $g/idVendor; echo 0x0104 > $g/idProduct; mkdir $g/strings/0x409
         echo 'Linux ${kind} gadget' > $g/strings/0x409/product; mkdir $g/configs/c.1; mkdir $g/functions/${kind}.0
         for w in c p; do echo 44100,48000 > $g/functions/${kind}.0/\${w}_srate; done
         ln -s $g/functions/${kind}.0 $g/configs/c.1/; echo ${busId} > $g/UDC`,
      );
      const rig = defaultUsbAudioRig(7, hostTurn, { isPluggedIn: false, trace: false });
      const { scheduler } = rig.machine;
      const runner = new LiveRunner(scheduler);
      void runner.start();
      const importer = new UsbipImporter({
        clock: scheduler,
        connect: () => connectSocket("127.0.0.1", guest.forwarded(gadgetPort), scheduler),
        busId,
        onAttach: (port) => rig.usb.attach(port),
        retryNs: 500_000_000,
      });
      const linuxSees = (name: string, value: string) =>
        guest.waitFor(`amixer -D gadget cget ${name}`, new RegExp(`: values=${value}$`, "m"));
      try {
        await until("two ways come up", () => rig.audio.devices.length === 2);
        const out = rig.audio.devices.find(({ device }) => device.streams[0]?.isOutput === true);
        assert.ok(out !== undefined);
        assert.deepEqual([out.name, out.device.getSampleRate()], [`Linux ${kind} gadget`, 48_000]);
        // What a host plays is captured at the other side, in steps of 1 dB from -100.
        out.setVolume(-12);
        await linuxSees("name='PCM Capture Volume'", "88");
        out.setMute(true);
        await linuxSees("name='PCM Capture Switch'", "off");
        for (const rate of [48_000, 44_100]) {
          runner.ready(() => out.setSampleRate(rate), undefined);
          await until(`${rate} Hz`, () => out.device.getSampleRate() === rate);
          // Set while it stands, or at its start: Linux shows the rate while it runs.
          runner.ready(() => out.start({ source: rampTone(rate) }), undefined);
          await linuxSees("iface=PCM,name='Capture Rate'", String(rate));
          runner.ready(() => out.stop(), undefined);
          await until("it stands", () => out.state === "stopped");
          await linuxSees("iface=PCM,name='Capture Rate'", "0");
        }
        assert.equal(out.lastFailure, null);
        assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
      } finally {
        importer.stop();
        await runner.stop();
        await guest.run(`echo > ${gadget}/UDC`);
      }
    });
});
