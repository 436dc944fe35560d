// A SuperSpeed UAS disk by usbredir: Linux's uas driver binds it, uses streams, and a file system survives.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { MassStorageDevice } from "@drydock/core/devices/mass-storage/mass-storage-device";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "../../src/host/host-turn.ts";
import { LiveRunner } from "../../src/host/live-runner.ts";
import { listenUsbredir } from "../../src/outlets/usbredir-sockets.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";

const programs = ["mkfs.ext4", "e2fsck"];
const modules = ["xhci-pci", "usb-storage", "uas", "sd_mod", "ext4"];
const skip = guestSkip({ programs, modules });
const mebibytes = 16;
const slowMs = 240_000;

/** Notes which streams each endpoint was served on. */
class StreamedDisk extends MassStorageDevice {
  readonly streams = new Map<number, Set<number>>();

  override in(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream = 0): number {
    this.#note(endpoint, stream);
    return super.in(endpoint, buffer, offset, length, stream);
  }

  override out(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream = 0): number {
    this.#note(endpoint, stream);
    return super.out(endpoint, buffer, offset, length, stream);
  }

  #note(endpoint: number, stream: number): void {
    if (stream === 0) return;
    const seen = this.streams.get(endpoint) ?? new Set();
    this.streams.set(endpoint, seen.add(stream));
  }
}

test("Linux's uas binds our disk at SuperSpeed over usbredir and uses streams; a file system survives", {
  skip,
}, async () => {
  const rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false });
  const runner = new LiveRunner(rig.scheduler);
  const events: string[] = [];
  const outlet = rig.addUsbredir(1, { onEvent: (text) => events.push(text) });
  const target = new ScsiDiskDevice({
    clock: rig.scheduler,
    units: [{ blockCount: 131_072, product: "STREAM DISK", serial: "GUEST" }],
  });
  const disk = new StreamedDisk({ target, speed: UsbSpeed.super });
  rig.usb.bus.plugIn(disk, 1);
  const running = runner.start();
  const listener = await listenUsbredir(outlet, { port: 0, steps: runner });
  const guest = await LinuxGuest.boot({
    programs,
    modules,
    qemu: [
      ...["-device", "qemu-xhci,id=x,p2=4,p3=4"],
      ...["-chardev", `socket,id=disk,host=127.0.0.1,port=${listener.port},nodelay=on`],
      ...["-device", "usb-redir,chardev=disk,bus=x.0"],
    ],
  });
  try {
    await guest.run("modprobe -a xhci-pci usb-storage uas sd_mod ext4");
    await guest.waitFor("cat /proc/partitions", /sda/, 60_000);
    const log = await guest.dmesg();
    assert.match(log, /new SuperSpeed.* USB device/);
    assert.match(log, /scsi host\d+: uas/);
    assert.match(log, /STREAM DISK/);
    const drivers = await guest.run("for d in /sys/bus/usb/devices/*:1.0/driver; do readlink $d; done");
    assert.match(drivers, /\/uas$/m);
    await guest.run("mkfs.ext4 -q -F /dev/sda", slowMs);
    await guest.run("mkdir -p /tmp/m; mount /dev/sda /tmp/m");
    await guest.run(`dd if=/dev/urandom of=/tmp/data bs=1M count=${mebibytes} 2>/dev/null`, slowMs);
    await guest.run("cp /tmp/data /tmp/m/data; sync; umount /tmp/m", slowMs);
    await guest.run("echo 3 > /proc/sys/vm/drop_caches");
    await guest.run("e2fsck -fn /dev/sda", slowMs);
    await guest.run("mount /dev/sda /tmp/m");
    const sums = (await guest.run("sha256sum /tmp/data /tmp/m/data", slowMs)).split("\n");
    const [first, second] = sums.map((line) => line.split(" ")[0]);
    assert.equal(first, second);
    await guest.run("umount /tmp/m");
    assert.equal(disk.transport, "uas");
    const counts = [0x83, 0x81, 0x02].map((endpoint) => disk.streams.get(endpoint)?.size ?? 0);
    assert.ok(
      counts.every((count) => count >= 2),
      `streams of status, data in and data out: ${counts}`,
    );
    assert.doesNotMatch(await guest.dmesg(), /I\/O error|uas_eh|reset SuperSpeed/);
    assert.equal(events.filter((text) => text.includes("has the device")).length, 1, events.join("\n"));
  } finally {
    await guest.stop();
    await listener.close();
    await runner.stop();
    await running;
  }
});
