// Node in a Linux guest: the USB contract over libusb, our FTDI driver on QEMU's device, npm packages on our models.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { type ContractResult, namesLimitedBy } from "@drydock/core/ports/contract";
import { usbHostContract } from "@drydock/core/ports/usb-host.contract";
import { VendorHid } from "../field/vendor-hid.ts";
import { ExportedSerialRig } from "../guest/exported-rig.ts";
import { freePort, guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { nodeGuestOptions, prepareNode, startNode } from "../guest/node-in-guest.ts";

const patienceMs = 120_000;

describe("libusb in a Linux guest", { skip: guestSkip(nodeGuestOptions) }, () => {
  let guest: LinuxGuest;
  let rig: ExportedSerialRig;
  let port = 0;
  /** The far end of QEMU's usb-serial: a loop-back plug. */
  let wire: Socket;
  /** An author's model, served by an author's ten lines in a process of their own. */
  let logger: ChildProcess | undefined;

  before(async () => {
    rig = new ExportedSerialRig();
    rig.plugIn(new LoopbackDevice(), 3);
    rig.plugIn(new VendorHid(rig.rig.scheduler), 4);
    port = await rig.listen();
    const wirePort = await freePort();
    guest = await LinuxGuest.boot({
      ...nodeGuestOptions,
      qemu: [
        ...nodeGuestOptions.qemu,
        ...["-device", "qemu-xhci,id=x"],
        ...["-chardev", `socket,id=c,host=127.0.0.1,port=${wirePort},server=on,wait=off,nodelay=on`],
        ...["-device", "usb-serial,chardev=c,bus=x.0"],
      ],
    });
    wire = connect(wirePort, "127.0.0.1");
    wire.pipe(wire);
    await prepareNode(guest);
  });
  after(async () => {
    wire?.destroy();
    logger?.kill("SIGKILL");
    await guest?.stop();
    await rig?.stop();
  });

  test("the whole USB host contract but isochronous transfers and streams, unplug included, on our loopback device behind vhci_hcd", async () => {
    await guest.attach(port, "1-3");
    await startNode(guest, "/tmp/contract", "libusb-contract-main.ts");
    const said = await guest.waitFor("cat /tmp/contract", /^exit/m, patienceMs);
    assert.match(said, /^exit 0$/m, said);
    const results = JSON.parse(/^results (.*)$/m.exec(said)?.[1] ?? "[]") as ContractResult[];
    assert.equal(results.length, usbHostContract.length);
    assert.deepEqual(
      results.filter(({ problem }) => problem !== null),
      [],
    );
    assert.deepEqual(
      results.filter(({ limited }) => limited !== null).map(({ name }) => name),
      namesLimitedBy(usbHostContract, "cancelled-packets", "isochronous", "streams"),
    );
  });

  test("our FTDI driver on QEMU's usb-serial: Linux's driver makes room, data go round, it comes back", async () => {
    await guest.run("modprobe -a xhci-pci ftdi_sio");
    await guest.waitFor("ls /dev", /ttyUSB0/);
    await startNode(guest, "/tmp/serial", "libusb-serial-main.ts", "0x0403", "0x6001", "4096");
    await guest.waitFor("ls /dev", /^(?![\s\S]*ttyUSB0)/, patienceMs);
    const said = await guest.waitFor("cat /tmp/serial", /^exit/m, patienceMs);
    assert.match(said, /^exit 0$/m, said);
    const result = JSON.parse(/^result (.*)$/m.exec(said)?.[1] ?? "null");
    assert.deepEqual(result, { sent: 4096, received: 4096, isSame: true, problems: [], failure: null });
    await guest.waitFor("ls /dev", /ttyUSB0/);
  });

  test("npm node-hid on our model: found by usage page, reports written and read, a feature set and got", async () => {
    await guest.run("modprobe -a usbhid hid-generic");
    await guest.attach(port, "1-4");
    await guest.waitFor("ls /dev", /hidraw0/);
    await startNode(guest, "/tmp/hid", "node-hid-main.ts");
    const said = await guest.waitFor("cat /tmp/hid", /^exit/m, patienceMs);
    assert.deepEqual(said.trim().split("\n"), [
      "Raw HID HID-7 261",
      "01fefdfcfbfaf9f8f7",
      "0301010203",
      "exit 0",
    ]);
  });

  test("npm usb on the model of an author, over USB/IP from the ten lines of examples/logger-usbip.ts", async () => {
    const script = join(import.meta.dirname, "../../../../examples/logger-usbip.ts");
    logger = spawn(process.execPath, [script, "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(logger.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    const [, loggerPort] =
      /^usbip --tcp-port (\d+) attach -r 127\.0\.0\.1 -b 1-1$/m.exec(line.toString()) ?? [];
    assert.ok(loggerPort !== undefined, line.toString());
    await guest.attach(Number(loggerPort), "1-1");
    await startNode(guest, "/tmp/logger", "node-usb-logger-main.ts");
    const said = await guest.waitFor("cat /tmp/logger", /^exit/m, patienceMs);
    assert.deepEqual(said.trim().split("\n"), ["200", "215", "223", "LIBUSB_TRANSFER_STALL", "exit 0"]);
  });
});
