// Linux's own usb-storage and uas on our device over USB/IP: partitions, ext4, 64 MiB, checksums, sg tools.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { MassStorageDevice } from "@drydock/core/devices/mass-storage/mass-storage-device";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "../../src/host/host-turn.ts";
import { LiveRunner } from "../../src/host/live-runner.ts";
import { listenUsbip } from "../../src/outlets/usbip-listener.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";

const programs = ["sg_inq", "sg_modes", "sg_sync", "smartctl", "sfdisk", "mkfs.ext4", "e2fsck"];
const modules = ["vhci-hcd", "usb-storage", "uas", "sd_mod", "ext4"];
const skip = guestSkip({ programs, modules });
const mebibytes = 64;
const slowMs = 240_000;

test("Linux binds usb-storage and uas to our disk; a file system on it survives", { skip }, async () => {
  const rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false });
  const runner = new LiveRunner(rig.scheduler);
  const transports = [["bulk-only"], ["bulk-only", "uas"]] as const;
  const devices = transports.map((list, index) => {
    const target = new ScsiDiskDevice({
      clock: rig.scheduler,
      units: [
        { blockCount: 262_144, product: index === 0 ? "BOT DISK" : "UAS DISK", serial: `GUEST${index}` },
      ],
    });
    return new MassStorageDevice({
      target,
      speed: UsbSpeed.high,
      transports: list,
      serialNumber: `00000000000${index}`,
    });
  });
  for (const [index, device] of devices.entries()) rig.usb.bus.plugIn(device, index + 1);
  const running = runner.start();
  const listener = await listenUsbip(rig.server, { port: 0, steps: rig.scheduler });
  const guest = await LinuxGuest.boot({ programs, modules });
  try {
    await guest.run("modprobe -a vhci-hcd usb-storage uas sd_mod ext4");
    await guest.run("echo 0 > /sys/module/usb_storage/parameters/delay_use");
    for (const [index, driver] of ["usb-storage", "uas"].entries()) {
      await guest.attach(listener.port, `1-${index + 1}`);
      const disk = index === 0 ? "sda" : "sdb";
      await guest.waitFor(`cat /proc/partitions`, new RegExp(disk), 30_000);
      assert.match(
        await guest.run(`for d in /sys/bus/usb/devices/*:1.0/driver; do readlink $d; done`),
        new RegExp(`${driver}$`, "m"),
      );
      assert.match(await guest.run(`sg_inq /dev/${disk}`), index === 0 ? /BOT DISK/ : /UAS DISK/);
      assert.match(await guest.run(`sg_modes --page=8 /dev/${disk}`), /[Cc]aching/);
      await guest.run(`sg_sync /dev/${disk}`);
      assert.match(await guest.run(`smartctl -i -d scsi /dev/${disk}`), /DRYDOCK/);
      await guest.run(`echo ';' | sfdisk -q /dev/${disk}`);
      await guest.waitFor(`cat /proc/partitions`, new RegExp(`${disk}1`));
      await guest.run(`mkfs.ext4 -q /dev/${disk}1`, slowMs);
      await guest.run(`mkdir -p /tmp/m; mount /dev/${disk}1 /tmp/m`);
      await guest.run(`dd if=/dev/urandom of=/tmp/data bs=1M count=${mebibytes} 2>/dev/null`, slowMs);
      await guest.run("cp /tmp/data /tmp/m/data; sync", slowMs);
      await guest.run("umount /tmp/m; echo 3 > /proc/sys/vm/drop_caches", slowMs);
      assert.match(await guest.run(`e2fsck -fn /dev/${disk}1`, slowMs), /1[0-9]\/|files/);
      await guest.run(`mount /dev/${disk}1 /tmp/m`);
      const sums = await guest.run("sha256sum /tmp/data /tmp/m/data", slowMs);
      const [first, second] = sums.split("\n").map((line) => line.split(" ")[0]);
      assert.equal(first, second);
      await guest.run("umount /tmp/m; rm /tmp/data");
      assert.equal(devices[index].transport, index === 0 ? "bulk-only" : "uas");
    }
    assert.ok(devices[1].attachedScsi.counts.readyUnits > 100, "the data moved over UAS");
    assert.doesNotMatch(await guest.dmesg(), /I\/O error|reset high-speed/);
  } finally {
    await guest.stop();
    await listener.close();
    await runner.stop();
    await running;
  }
});
