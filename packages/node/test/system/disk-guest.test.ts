// A Linux kernel on disks of ours: fstrim onto a disk in a file, and usb-storage and uas on disks that misbehave.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { MassStorageDevice } from "@drydock/core/devices/mass-storage/mass-storage-device";
import { diskQuirks, findDiskQuirks } from "@drydock/core/devices/scsi-disk/disk-quirks";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import { withQuirks } from "@drydock/core/rigs/storage-rig";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { type LinuxOutcome, linuxOnQuirk } from "@drydock/core/trials/linux-on-quirks";
import { hostTurn } from "../../src/host/host-turn.ts";
import { LiveRunner } from "../../src/host/live-runner.ts";
import { listenUsbip } from "../../src/outlets/usbip-listener.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const programs = ["nbd-client", "mkfs.ext4", "fstrim"];
const modules = ["virtio_net", "nbd", "ext4", "vhci-hcd", "usb-storage", "uas", "sd_mod"];
const program = join(import.meta.dirname, "../../../../apps/cli/src/main.ts");
const mebibyte = 1 << 20;
const slowMs = 120_000;
const blockCount = 65_536;

/** Those that a kernel meets within seconds; with DRYDOCK_QUIRKS=all every one, in about ten minutes. */
const quick: Readonly<Record<"bulk-only" | "uas", readonly string[]>> = {
  "bulk-only": ["residue-lies", "luns-lie", "read-capacity-16-zeros", "write-protect-lies"],
  uas: ["fua-refused", "no-write-same", "transfers-of-64"],
};
const wanted = (transport: "bulk-only" | "uas"): readonly string[] =>
  process.env.DRYDOCK_QUIRKS === "all" ? diskQuirks.map(({ name }) => name) : quick[transport];

describe("a Linux kernel", { skip: guestSkip({ programs, modules }) }, () => {
  let guest: LinuxGuest;
  before(async () => {
    guest = await LinuxGuest.boot({ programs, modules });
    await guest.run(`modprobe -a ${modules.slice(1).join(" ")}; mkdir -p /tmp/m`);
    await guest.run("echo 0 > /sys/module/usb_storage/parameters/delay_use");
  });
  after(async () => guest.stop());

  test("fstrim makes a disk in a file small again: what a file system gave up becomes holes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-trim-"));
    const image = join(folder, "image");
    const heldBytes = () => statSync(image).blocks * 512;
    const words = ["disk", "serve", "--file", image, "--size", "128M", "--port", "0", "--json"];
    const server = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [line] = (await once(server.stdout, "data")) as [Buffer];
      const { port } = JSON.parse(line.toString()) as { port: number };
      await guest.run(`nbd-client 10.0.2.2 ${port} /dev/nbd0 -N disk -b 512 -t 30`);
      const make = "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 -O ^has_journal /dev/nbd0";
      await guest.run(`${make} && mount /dev/nbd0 /tmp/m`, slowMs);
      await guest.run("sync", slowMs);
      const empty = heldBytes();
      await guest.run("dd if=/dev/urandom of=/tmp/m/data bs=1M count=32 2>/dev/null; sync", slowMs);
      assert.ok(heldBytes() >= empty + 32 * mebibyte, `${heldBytes()} bytes are held, ${empty} before`);
      await guest.run("rm /tmp/m/data; sync", slowMs);
      await guest.run("fstrim /tmp/m", slowMs);
      assert.ok(
        heldBytes() <= empty + mebibyte,
        `${heldBytes()} bytes are held after fstrim, ${empty} before`,
      );
      await guest.run("umount /tmp/m && nbd-client -d /dev/nbd0", slowMs);
    } finally {
      server.kill("SIGINT");
      if (server.exitCode === null) await once(server, "exit");
      rmSync(folder, { recursive: true, force: true });
    }
  });

  /** What the kernel makes of the disk that has just been attached. */
  async function outcome(): Promise<LinuxOutcome> {
    const isThere =
      'd=$(ls /sys/block | grep ^sd | head -1); [ -n "$d" ] && [ "$(cat /sys/block/$d/size)" -gt 0 ]';
    const { output } = await guest.tryRun(
      `for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ${isThere} && break; sleep 1; done; echo "$d $(cat /sys/block/$d/size /sys/block/$d/ro | tr '\\n' ' ')"`,
      60_000,
    );
    const [name, size, isReadOnly] = output.split("\n").at(-1)?.split(" ") ?? [];
    if (!name?.startsWith("sd")) return "no disk within 12 s";
    if (size === "0") return "no medium";
    if (size === "1") return "a disk of one block";
    if (isReadOnly === "1") return "read-only";
    const disk = `/dev/${name}`;
    const works = async (command: string) => (await guest.tryRun(command, 60_000)).code === 0;
    await guest.run(`head -c ${mebibyte} /dev/urandom > /tmp/a`);
    if (!(await works(`dd if=/tmp/a of=${disk} bs=64k oflag=direct 2>&1`)))
      return "large requests: I/O error";
    if (!(await works(`dd if=/dev/null of=${disk} bs=64k count=0 conv=notrunc,fsync 2>&1`)))
      return "flush: I/O error";
    await guest.run(`dd if=${disk} of=/tmp/b bs=64k count=16 iflag=direct 2>&1; cmp /tmp/a /tmp/b`, slowMs);
    const last = `dd if=${disk} of=/dev/null bs=512 skip=${Number(size) - 1} count=1 iflag=direct 2>&1`;
    return (await works(last)) ? "everything works" : "last block: I/O error";
  }

  test("usb-storage and uas on disks that misbehave: what the page of quirks says", async () => {
    const rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false });
    const runner = new LiveRunner(rig.scheduler);
    const running = runner.start();
    const listener = await listenUsbip(rig.server, { port: 0, steps: rig.scheduler });
    try {
      for (const transport of ["bulk-only", "uas"] as const)
        for (const name of wanted(transport)) {
          const disk = new ScsiDiskDevice({
            clock: rig.scheduler,
            random: new Random(1),
            units: [{ blockCount }],
          });
          const { device, target } = withQuirks(disk, rig.scheduler, findDiskQuirks([name]));
          const transports = transport === "uas" ? (["bulk-only", "uas"] as const) : (["bulk-only"] as const);
          rig.usb.bus.plugIn(
            new MassStorageDevice({ speed: UsbSpeed.high, maximumLun: 0, transports, ...device, target }),
            1,
          );
          await until("the disk is offered", () => (rig.server.exports.get("1-1")?.listed ?? null) !== null);
          const virtualPort = await guest.attach(listener.port, "1-1");
          assert.equal(await outcome(), linuxOnQuirk(name, transport), `${name} by ${transport}`);
          await guest.detach(virtualPort);
          rig.usb.bus.unplug(1);
          await guest.tryRun(
            "for i in 1 2 3 4 5 6 7 8; do ls /sys/block | grep -q ^sd || break; sleep 1; done",
            60_000,
          );
        }
    } finally {
      await listener.close();
      await runner.stop();
      await running;
    }
  });
});
