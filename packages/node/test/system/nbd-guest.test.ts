// A file system that a Linux kernel mounts from our NBD server: NBD -> block -> SCSI -> UAS -> bus -> model.

import assert from "node:assert/strict";
import { test } from "node:test";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { serveDisk } from "./served-disk.ts";

const programs = ["nbd-client", "mkfs.ext4", "e2fsck"];
const modules = ["virtio_net", "nbd", "ext4"];
const mebibyte = 1 << 20;
const slowMs = 120_000;

test("Linux mounts ext4 from our server; what it synced survives a connection cut in mid-write", {
  skip: guestSkip({ programs, modules }),
}, async () => {
  const served = await serveDisk("uas", 64 * mebibyte, { port: 0 });
  const guest = await LinuxGuest.boot({ programs, modules });
  const connect = `nbd-client 10.0.2.2 ${served.port} /dev/nbd0 -N disk -b 512 -t 30`;
  const written = () => served.writes();
  try {
    await guest.run("modprobe -a nbd ext4; mkdir -p /tmp/m");
    await guest.run(connect);
    await guest.run(
      "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/nbd0 && mount /dev/nbd0 /tmp/m",
      slowMs,
    );
    await guest.run("dd if=/dev/urandom of=/tmp/data bs=1M count=16 2>/dev/null");
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
    await guest.run(connect);
    // -p repairs what a cut leaves in order: exit code 1 says "corrected", 4 and above would be damage.
    const { code, output } = await guest.tryRun("e2fsck -p /dev/nbd0", slowMs);
    assert.ok(code <= 1, output);
    await guest.run("mount /dev/nbd0 /tmp/m");
    const sums = (await guest.run("sha256sum /tmp/data /tmp/m/kept", slowMs)).split("\n");
    assert.equal(sums[0].split(" ")[0], sums[1].split(" ")[0]);
    await guest.run("umount /tmp/m && nbd-client -d /dev/nbd0", slowMs);
  } finally {
    await guest.stop();
    await served.close();
  }
});
