// Our serial drivers on devices that nobody here wrote: QEMU's FTDI and Linux's CDC-ACM gadget, over USB/IP.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { usbipPort } from "@drydock/core/codec/usbip/usbip";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { SerialRig } from "@drydock/core/rigs/serial-rig";
import { SerialSession } from "@drydock/core/rigs/serial-session";
import { hostTurn } from "@drydock/node/host-turn";
import { withImportedDevice } from "../guest/imported-device.ts";
import { freePort, guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const patienceMs = 60_000;

describe("our serial drivers on devices that nobody here wrote", { skip: guestSkip() }, () => {
  let guest: LinuxGuest;
  /** The far end of QEMU's usb-serial. */
  let wire: Socket;
  const heard: Buffer[] = [];

  /** The guest's device with that product string, imported: an open port of our driver. */
  const drive = async (
    product: string,
    body: (session: SerialSession, rig: SerialRig) => Promise<void>,
  ): Promise<void> => {
    const rig = new SerialRig({
      seed: 1,
      turn: hostTurn,
      profile: platformProfile("macos15"),
      timing: "none",
      trace: false,
      devices: [],
    });
    await withImportedDevice(guest, product, rig, async (giveBack) => {
      await until(`a port of ${product} comes up`, () => rig.ports.length > 0);
      const session = new SerialSession(rig.ports[0]);
      await until("the driver is active", () => rig.ports[0].isReady);
      session.configure({ baudRate: 115200 });
      await body(session, rig);
      giveBack();
      await until("the program is told that the port has gone", () => session.hangUps === 1);
    });
  };

  before(async () => {
    const port = await freePort();
    guest = await LinuxGuest.boot({
      forward: [usbipPort],
      qemu: [
        ...["-device", "qemu-xhci,id=x"],
        ...["-chardev", `socket,id=c,host=127.0.0.1,port=${port},server=on,wait=off,nodelay=on`],
        ...["-device", "usb-serial,chardev=c,bus=x.0"],
      ],
    });
    wire = connect(port, "127.0.0.1");
    wire.on("data", (bytes) => heard.push(Buffer.from(bytes)));
    await guest.run("modprobe -a xhci-pci");
  });
  after(async () => {
    wire?.destroy();
    await guest?.stop();
  });

  /** 64 KiB to QEMU's far end and 64 KiB back. */
  const exchange = async (send: (bytes: Uint8Array) => unknown, received: () => number): Promise<Buffer> => {
    heard.length = 0;
    const out = randomBytes(64 * 1024);
    await send(out);
    await until("QEMU's far end has it all", () => Buffer.concat(heard).length >= out.length);
    assert.equal(hash(Buffer.concat(heard)), hash(out));
    const back = randomBytes(64 * 1024);
    // QEMU's model has a small ring and no flow control towards its far end: feed it as a line would.
    for (let at = 0; at < back.length; at += 256) {
      wire.write(back.subarray(at, at + 256));
      await until("the piece arrives", () => received() >= at + 256);
    }
    return back;
  };

  test("QEMU's usb-serial under our FTDI driver: 64 KiB each way, hashes equal", async () => {
    await drive("QEMU USB SERIAL", async (session) => {
      const back = await exchange(
        (bytes) => session.send(bytes),
        () => session.received.length,
      );
      assert.equal(hash(Uint8Array.from(session.received)), hash(back));
    });
  });

  test("QEMU's usb-serial under a dext in C++, by the command: 64 KiB each way, hashes equal", async () => {
    const repository = join(import.meta.dirname, "../../../..");
    const folder = mkdtempSync(join(tmpdir(), "drydock-dext-"));
    const link = join(folder, "tty");
    // It is bound to usbip from the test before.
    const busId = (
      await guest.run("basename $(dirname $(grep -l 'QEMU USB SERIAL' /sys/bus/usb/devices/*/product))")
    ).trim();
    await guest.offer(busId);
    const child = spawn(
      process.execPath,
      [
        join(repository, "apps/cli/bin/drydock.mjs"),
        ...["dext", "run", join(repository, "examples/ftdi-dext"), "--link", link],
        ...["--usbip", `127.0.0.1:${guest.forwarded(usbipPort)}`, "--bus-id", busId, "--for", "60"],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let talk = "";
    child.stderr.on("data", (text) => {
      talk += text;
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    try {
      await until("the dext's port comes up", () => {
        assert.equal(child.exitCode, null, talk);
        return talk.includes("try       picocom");
      });
      spawnSync("stty", ["-F", link, "raw", "-echo", "115200"]);
      const terminal = await open(link, "r+");
      const parts: Buffer[] = [];
      let count = 0;
      const reader = terminal.createReadStream({ autoClose: false });
      reader.on("data", (part: Buffer) => {
        parts.push(part);
        count += part.length;
      });
      reader.on("error", () => {});
      const back = await exchange(
        (bytes) => terminal.write(bytes),
        () => count,
      );
      assert.equal(hash(Buffer.concat(parts)), hash(back));
      child.kill("SIGINT");
      assert.equal(await ended, 130, talk);
      assert.match(talk, /^FT232R: started$/m);
      assert.doesNotMatch(talk, /^(finding|leak):/m);
      reader.destroy();
      await terminal.close();
    } finally {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("Linux's f_acm gadget under our CDC-ACM driver: 64 KiB each way, hashes equal", async () => {
    await guest.run(
      "modprobe dummy_hcd num=1 is_super_speed=0 && modprobe libcomposite && mount -t configfs c /sys/kernel/config",
    );
    await guest.run(
      `g=/sys/kernel/config/usb_gadget/g1; mkdir $g; echo 0x1209 > $g/idVendor; echo 0x0006 > $g/idProduct
       mkdir $g/strings/0x409; echo 'Linux ACM gadget' > $g/strings/0x409/product; mkdir $g/configs/c.1
       mkdir $g/functions/acm.0; ln -s $g/functions/acm.0 $g/configs/c.1/; ls /sys/class/udc | head -1 > $g/UDC`,
    );
    await drive("Linux ACM gadget", async (session) => {
      const out = randomBytes(64 * 1024);
      // One open terminal from before the first byte: the gadget throws away what comes while nobody has it open.
      await guest.run(
        `exec 9< /dev/ttyGS0; stty raw -echo <&9
         (head -c ${out.length} > /tmp/heard; echo done > /tmp/end) <&9 2> /dev/null & exec 9<&-`,
      );
      session.send(out);
      await guest.waitFor("ls -l /tmp/heard; cat /tmp/end", /done/, patienceMs);
      assert.match(await guest.run("sha256sum /tmp/heard"), new RegExp(`^${hash(out)}`));
      const back = randomBytes(64 * 1024);
      await guest.put("/tmp/back", back);
      await guest.run("cat /tmp/back > /dev/ttyGS0");
      await until("all of it has come back", () => session.received.length >= back.length);
      assert.equal(hash(Uint8Array.from(session.received)), hash(back));
    });
  });
});
