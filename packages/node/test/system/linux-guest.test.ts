// The Linux guest of the system tests: commands, files, time limits, and no process left behind.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { test } from "node:test";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";

const programs = ["sg_inq", "mkfs.ext4", "sfdisk"];
const skip = guestSkip({ programs });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test("what is missing is named", { skip }, () => {
  assert.equal(
    guestSkip({ programs: ["/nowhere/thing"] }),
    "the Linux guest needs: the program /nowhere/thing",
  );
});

test("a guest runs commands, carries files both ways, and leaves no process behind", { skip }, async () => {
  const guest = await LinuxGuest.boot({ programs, modules: ["ext4"], forward: [7000] });
  const { pid } = guest;
  try {
    assert.equal(await guest.run("echo one; echo two >&2"), "one\ntwo");
    assert.deepEqual(await guest.tryRun("echo bad; (exit 7)"), { code: 7, output: "bad" });
    await assert.rejects(guest.run("false"), /in the guest: false\nended with 1/);
    await guest.run("here=/tmp; cd $here");
    assert.equal(await guest.run("pwd"), "/tmp", "one shell for all");

    const bytes = Buffer.alloc(300_000, 1).map((_, index) => (index * 7919) >> 5);
    await guest.put("/tmp/file", bytes);
    const [hash] = (await guest.run("sha256sum /tmp/file")).split(" ");
    assert.equal(hash, createHash("sha256").update(bytes).digest("hex"));
    assert.deepEqual(await guest.get("/tmp/file"), bytes);

    assert.match(await guest.run("sg_inq --version"), /Version/);
    assert.match(await guest.run("modprobe ext4; cat /proc/filesystems"), /ext4/);
    await guest.run("dd if=/dev/zero of=/tmp/disk bs=1M count=8; mkfs.ext4 -q /tmp/disk");
    await guest.run("echo noise > /dev/kmsg; mkdir /tmp/m");
    assert.match(await guest.dmesg(), /noise/);
    await guest.clearDmesg();
    assert.doesNotMatch(await guest.dmesg(), /noise/);

    await guest.run("nc -l -p 7000 -e /bin/cat &");
    await guest.waitFor("netstat -ltn", /:7000/);
    const echoed = await new Promise<string>((resolve, reject) => {
      const socket = connect(guest.forwarded(7000), "127.0.0.1", () => socket.write("through"));
      socket.once("data", (text) => {
        resolve(text.toString());
        socket.destroy();
      });
      socket.once("error", reject);
    });
    assert.equal(echoed, "through");

    await assert.rejects(guest.run("sleep 1000", 200), /still running after 200 ms/);
    await assert.rejects(guest.run("true"), /stuck in: sleep 1000/);
  } finally {
    await guest.stop();
  }
  assert.equal(isAlive(pid), false);
});

test("a guest that cannot boot says why", { skip }, async () => {
  await assert.rejects(
    LinuxGuest.boot({ qemu: ["-device", "no-such-device"] }),
    /ended with 1 while it booted[\s\S]*no-such-device/,
  );
});

test("a guest that dies ends what was waiting for it", { skip }, async () => {
  const guest = await LinuxGuest.boot();
  const waiting = guest.tryRun("sleep 1000");
  process.kill(guest.pid, "SIGKILL");
  assert.equal((await waiting).code, 255);
  await assert.rejects(guest.run("true"), /the guest has ended/);
  await guest.stop();
});
