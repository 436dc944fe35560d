// Our USB stack on QEMU's usb-audio behind QEMU's xHCI: isochronous packets, and the WAV file is the tone bit for bit.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { IOReturns } from "@drydock/core/base/io-return";
import type { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import { newIsochronousFrame } from "@drydock/core/families/usb/usb-isochronous";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { kIOMemoryDirectionOut } from "@drydock/core/runtime/memory";
import { IOService } from "@drydock/core/runtime/service";
import { hostTurn } from "../../src/host/host-turn.ts";
import { startUsbOnQemu } from "../../src/transports/usb-on-qemu.ts";
import { QemuImages, qemuSkip, until } from "./qemu-disk.ts";

const images = new QemuImages();
const seconds = Number(process.env.DRYDOCK_AUDIO_SECONDS ?? 2);
const framesInMs = 48;
const frameBytes = 4;
const packetsOfTransfer = 8;
const transfersAhead = 4;

/** Plays what it is given on QEMU's headset: interface 1, setting 1, endpoint 01h, 192 bytes each millisecond. */
class PlayingDriver extends IOService {
  usb!: IOUSBHostInterface;
  isReady = false;
  badFrames = 0;
  sent = 0;
  completed = 0;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.usb = provider as IOUSBHostInterface;
    await this.usb.open(this);
    await this.usb.selectAlternateSetting(1);
    this.registerService();
    this.isReady = true;
  }

  play(tone: Uint8Array): void {
    const pipe = this.usb.copyPipe(0x01);
    const bytes = packetsOfTransfer * framesInMs * frameBytes;
    const next = (): void => {
      if (this.sent + bytes > tone.length) return;
      const buffer = this.usb.createIOBuffer(kIOMemoryDirectionOut, bytes);
      buffer.bytes.set(tone.subarray(this.sent, this.sent + bytes));
      this.sent += bytes;
      const frames = Array.from({ length: packetsOfTransfer }, () =>
        newIsochronousFrame(framesInMs * frameBytes),
      );
      const action = this.createAction("CompleteAsyncIsochIO", (_action, status) => {
        this.completed += bytes;
        const isBad = (frame: (typeof frames)[number]): boolean =>
          frame.status !== IOReturns.kIOReturnSuccess || frame.completeCount !== frame.requestCount;
        this.badFrames += status === IOReturns.kIOReturnSuccess ? frames.filter(isBad).length : frames.length;
        next();
      });
      const accepted = pipe.isochIO(buffer, frames, 0, action);
      if (accepted !== IOReturns.kIOReturnSuccess) this.badFrames += frames.length;
    };
    for (let ahead = 0; ahead < transfersAhead; ahead++) next();
  }
}

const bundle: DriverBundle = {
  identifier: "org.drydock.test.usb-audio",
  version: "1",
  teamIdentifier: "TEST",
  entitlements: {},
  personalities: {
    Playing: {
      IOClass: "IOUserService",
      IOUserClass: "PlayingDriver",
      IOProviderClass: "IOUSBHostInterface",
      idVendor: 0x46f4,
      idProduct: 2,
      bConfigurationValue: 1,
      bInterfaceNumber: 1,
    },
  },
  classes: { PlayingDriver },
};

/** Two ramps: a slip, a swap or a repeat shows at its first frame. */
function ramps(frames: number): Buffer {
  const bytes = Buffer.alloc(frames * frameBytes);
  for (let frame = 0; frame < frames; frame++) {
    bytes.writeInt16LE((frame * 7 + 1) % 32768, frame * frameBytes);
    bytes.writeInt16LE((frame * 13 + 1) % 32768, frame * frameBytes + 2);
  }
  return bytes;
}

test(`${seconds} s on QEMU's usb-audio: its WAV file is the tone, every packet was on the wire`, {
  skip: qemuSkip,
}, async () => {
  const wav = join(images.folder, "out.wav");
  const backend = `wav,id=a0,path=${wav},out.frequency=48000,out.channels=2,out.format=s16`;
  const on = await startUsbOnQemu({
    build: () => {
      const rig = new UsbRig({ seed: 1, turn: hostTurn, profile: platformProfile("open"), trace: false });
      rig.machine.install(bundle);
      return rig;
    },
    pace: "lockstep",
    devices: ["-audiodev", backend, "-device", "usb-audio,audiodev=a0,bus=x.0,id=a"],
  });
  const tone = ramps(seconds * 48_000);
  try {
    const { machine } = on.rig;
    const found = () => machine.registry.byClass("PlayingDriver")[0] as PlayingDriver | undefined;
    await until(() => found()?.isReady === true, "the driver");
    const driver = found() as PlayingDriver;
    const play = async (): Promise<void> => {
      // Volume of both channels at this model's unity, mute off.
      for (const channel of [1, 2]) {
        const data = driver.usb.createIOBuffer(kIOMemoryDirectionOut, 2);
        data.bytes.set([0x00, 0x08]);
        await driver.usb.deviceRequest(0x21, 1, 0x0200 | channel, 0x0200, 2, data, 1000);
      }
      const off = driver.usb.createIOBuffer(kIOMemoryDirectionOut, 1);
      await driver.usb.deviceRequest(0x21, 1, 0x0100, 0x0200, 1, off, 1000);
      driver.play(tone);
    };
    on.runner.ready(() => driver.process.spawn("play", play), undefined);
    await until(() => driver.completed >= tone.length, "the end of the tone", 60_000 + seconds * 2000);
    assert.equal(driver.badFrames, 0);
    assert.deepEqual([on.host.failure, on.problems, on.host.counters.complaints], [null, [], 0]);
    // What its mixer still holds, and a header that is whole.
    await until(() => machine.scheduler.nowNs() > 0, "time");
    const later = machine.scheduler.nowNs() + 200e6;
    await until(() => machine.scheduler.nowNs() > later, "the rest of it");
    await on.qemu.qmp.execute("quit").catch(() => {});
    await until(() => on.death() !== null, "its end");
  } finally {
    await on.close();
  }
  const heard = readFileSync(wav).subarray(44);
  const start = heard.indexOf(tone.subarray(0, 64));
  assert.ok(start >= 0 && start % frameBytes === 0, `the tone begins at ${start} of ${heard.length}`);
  const rest = heard.subarray(start, start + tone.length);
  let wrong = -1;
  for (let at = 0; at < tone.length && wrong < 0; at++) if (rest[at] !== tone[at]) wrong = at;
  assert.equal(wrong, -1, "the first byte that is another");
});
