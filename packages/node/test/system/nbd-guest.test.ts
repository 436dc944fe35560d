// File systems that a Linux kernel mounts from our NBD server: over USB, behind our NVMe driver, behind a host adapter.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { serveDisk, type Way } from "./served-disk.ts";

const programs = ["nbd-client", "mkfs.ext4", "e2fsck", "mkfs.xfs", "xfs_repair"];
const modules = ["virtio_net", "nbd", "ext4", "xfs"];
const mebibyte = 1 << 20;
const slowMs = 120_000;

/** How each is made, and how it is looked over when it is not mounted: 0 when nothing is wrong. */
const fileSystems = {
  ext4: {
    make: "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/nbd0",
    check: "e2fsck -fn /dev/nbd0",
    mebibytes: 64,
  },
  xfs: { make: "mkfs.xfs -q -f -K /dev/nbd0", check: "xfs_repair -n /dev/nbd0", mebibytes: 320 },
} as const;

describe("Linux", { skip: guestSkip({ programs, modules }) }, () => {
  let guest: LinuxGuest;
  const connect = (port: number) => guest.run(`nbd-client 10.0.2.2 ${port} /dev/nbd0 -N disk -b 512 -t 30`);
  before(async () => {
    guest = await LinuxGuest.boot({ programs, modules });
    await guest.run("modprobe -a nbd ext4 xfs; mkdir -p /tmp/m");
    await guest.run("dd if=/dev/urandom of=/tmp/data bs=1M count=16 2>/dev/null");
    await guest.run("head -c 4194304 /tmp/data > /tmp/few");
  });
  after(async () => guest.stop());

  test("mounts ext4 from our server; what it synced survives a connection cut in mid-write", async () => {
    const served = await serveDisk("uas", 64 * mebibyte, { port: 0 });
    const written = () => served.writes();
    try {
      await connect(served.port);
      await guest.run(`${fileSystems.ext4.make} && mount /dev/nbd0 /tmp/m`, slowMs);
      await guest.run("cp /tmp/data /tmp/m/kept && sync", slowMs);
      assert.ok(written() > 16, "the kernel's writes reached the disk");
      // sync(2) flushes with the journal's commit and writes some metadata after it; the file itself is on the medium.
      assert.ok(served.cachedBytes() < mebibyte, `${served.cachedBytes()} bytes would be lost after a sync`);

      // Cut while the kernel writes: the server goes on, and the journal makes the rest whole.
      const before = written();
      await guest.run("(cat /tmp/data /tmp/data > /tmp/m/lost) 2> /dev/null & sync -f /tmp/m & true");
      while (written() < before + 4) await new Promise((resolve) => setTimeout(resolve, 10));
      await guest.run("nbd-client -d /dev/nbd0", slowMs);
      await guest.run("wait; umount /tmp/m", slowMs);
      await connect(served.port);
      // -p repairs what a cut leaves in order: exit code 1 says "corrected", 4 and above would be damage.
      const { code, output } = await guest.tryRun("e2fsck -p /dev/nbd0", slowMs);
      assert.ok(code <= 1, output);
      await guest.run("mount /dev/nbd0 /tmp/m");
      const sums = (await guest.run("sha256sum /tmp/data /tmp/m/kept", slowMs)).split("\n");
      assert.equal(sums[0].split(" ")[0], sums[1].split(" ")[0]);
      await guest.run("umount /tmp/m && nbd-client -d /dev/nbd0", slowMs);
    } finally {
      await served.close();
    }
  });

  for (const [way, system] of [
    ["nvme", "ext4"],
    ["raid", "ext4"],
    ["raid", "xfs"],
  ] as const satisfies readonly (readonly [Way, keyof typeof fileSystems])[]) {
    test(`${system} on a disk behind our ${way} driver: made, filled, taken down, found whole`, async () => {
      const { make, check, mebibytes } = fileSystems[system];
      const served = await serveDisk(way, mebibytes * mebibyte, { port: 0 });
      try {
        await connect(served.port);
        await guest.run(`${make} && mount /dev/nbd0 /tmp/m`, slowMs);
        await guest.run("mkdir /tmp/m/d && cp /tmp/few /tmp/m/d/kept && umount /tmp/m", slowMs);
        assert.ok(served.writes() > 16, "the kernel's writes reached the disk");
        assert.ok(served.cachedBytes() < mebibyte, `${served.cachedBytes()} bytes after umount`);
        await guest.run(check, slowMs);
        await guest.run("mount /dev/nbd0 /tmp/m");
        const sums = (await guest.run("sha256sum /tmp/few /tmp/m/d/kept", slowMs)).split("\n");
        assert.equal(sums[0].split(" ")[0], sums[1].split(" ")[0]);
        await guest.run("umount /tmp/m && nbd-client -d /dev/nbd0", slowMs);
      } finally {
        await served.close();
      }
    });
  }
});
