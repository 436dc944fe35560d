// QEMU attaches our devices by usbredir, and a Linux kernel behind it drives them with its own drivers.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { CdcAcmDevice } from "@drydock/core/devices/cdc-acm/cdc-acm-device";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import type { UsbredirOutlet } from "@drydock/core/outlets/usbredir/usbredir-outlet";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { formatTrace } from "@drydock/core/trace/usb-text";
import { hostTurn } from "../../src/host/host-turn.ts";
import { LiveRunner } from "../../src/host/live-runner.ts";
import type { Listener } from "../../src/host/socket-stream.ts";
import { connectUsbredir, listenUsbredir } from "../../src/outlets/usbredir-sockets.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";

const skip = guestSkip();

class CountedFtdi extends FtdiDevice {
  busResets = 0;

  override reset(): void {
    this.busResets++;
    super.reset();
  }
}

let guest: LinuxGuest;
let runner: LiveRunner;
let rig: UsbExportRig;
let ftdi: CountedFtdi;
let modem: CdcAcmDevice;
const listeners: Listener[] = [];
const events: string[] = [];
let hotPlugPort = 0;
/** Bus resets of the FTDI when Linux began, which SeaBIOS had asked for. */
let firmwareResets = 0;
let firmwareTrace = "";
let hotPlug: UsbredirOutlet;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

const ftdiConnector = 1;
const modemConnector = 2;
const hotPlugConnector = 3;

before(async () => {
  if (skip !== false) return;
  rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none" });
  const clock = rig.scheduler;
  const outlets = [ftdiConnector, modemConnector].map((connector) =>
    rig.addUsbredir(connector, { onEvent: (text) => events.push(`${connector}: ${text}`) }),
  );
  hotPlug = rig.addUsbredir(hotPlugConnector);
  ftdi = new CountedFtdi({ clock, pacing: "none", rings: "transfer" });
  modem = new CdcAcmDevice({ clock, pacing: "none" });
  rig.usb.bus.plugIn(ftdi, ftdiConnector);
  rig.usb.bus.plugIn(modem, modemConnector);
  runner = new LiveRunner(rig.scheduler);
  void runner.start();
  for (const outlet of outlets) listeners.push(await listenUsbredir(outlet, { port: 0 }));
  hotPlugPort = await freePort();
  const device = (name: string, socket: string): string[] => [
    "-chardev",
    `socket,id=${name},host=127.0.0.1,${socket},nodelay=on`,
    "-device",
    `usb-redir,chardev=${name},bus=x.0`,
  ];
  guest = await LinuxGuest.boot({
    qemu: [
      "-device",
      "qemu-xhci,id=x,p2=8,p3=8",
      ...device("ftdi", `port=${listeners[0].port}`),
      ...device("modem", `port=${listeners[1].port}`),
      ...device("later", `port=${hotPlugPort},server=on,wait=off`),
    ],
  });
  firmwareResets = ftdi.busResets;
  firmwareTrace = formatTrace(rig.usb.trace);
  await guest.run("modprobe -a xhci-pci ftdi_sio cdc-acm");
});

after(async () => {
  await guest?.stop();
  for (const listener of listeners) await listener.close();
  await runner?.stop();
});

/** Through the loop-back plug behind our device, and back. */
async function loop(terminal: string, bytes: number): Promise<void> {
  const data = randomBytes(bytes);
  await guest.put("/tmp/sent", data);
  await guest.run(`stty -F ${terminal} raw -echo`);
  await guest.run(
    `exec 3<>${terminal}
     head -c ${bytes} <&3 > /tmp/back & reader=$!
     cat /tmp/sent >&3
     wait $reader; exec 3>&-`,
  );
  assert.ok(
    data.equals(await guest.get("/tmp/back")),
    `${bytes} bytes through ${terminal} came back the same`,
  );
}

test("ftdi_sio binds our FT232R and moves data both ways", { skip }, async () => {
  await guest.waitFor("ls /dev/ttyUSB0", /^\/dev\/ttyUSB0$/);
  const log = await guest.dmesg();
  assert.match(log, /FTDI USB Serial Device converter now attached to ttyUSB0/);
  assert.doesNotMatch(log, /ftdi_sio.*(error|fail|warn)/i);
  await loop("/dev/ttyUSB0", 256 * 1024);
});

test("cdc_acm binds our modem and moves data both ways", { skip }, async () => {
  await guest.waitFor("ls /dev/ttyACM0", /^\/dev\/ttyACM0$/);
  const log = await guest.dmesg();
  assert.match(log, /cdc_acm .*ttyACM0: USB ACM device/);
  assert.doesNotMatch(log, /cdc_acm.*(error|fail|warn)/i);
  await loop("/dev/ttyACM0", 1024 * 1024);
});

test("resets of the bus reach the model, and each guest still sees one device", { skip }, async () => {
  assert.ok(firmwareResets >= 2, `SeaBIOS has reset the port: ${firmwareResets}`);
  assert.match(firmwareTrace, /GET_DESCRIPTOR device 0 {2}data 12 01 00 02 00 00 00 08 {2}-> ok, 8 bytes/);
  assert.ok(ftdi.busResets >= firmwareResets + 2, `Linux has too: ${ftdi.busResets}`);
  assert.doesNotMatch(await guest.dmesg(), /USB disconnect/);
  const announcements = events.filter((text) => text.includes("has the device"));
  assert.equal(announcements.length, 2, events.join("\n"));
});

test("connecting plugs in and closing unplugs, three times, with another device each time", {
  skip,
}, async () => {
  const clock = rig.scheduler;
  for (const terminal of ["/dev/ttyACM1", "/dev/ttyUSB1", "/dev/ttyACM1"]) {
    const device = terminal.includes("ACM")
      ? new CdcAcmDevice({ clock, pacing: "none" })
      : new FtdiDevice({ clock, pacing: "none", rings: "transfer" });
    rig.usb.bus.plugIn(device, hotPlugConnector);
    await connectUsbredir(hotPlug, { port: hotPlugPort });
    await guest.waitFor(`ls ${terminal}`, new RegExp(`^${terminal}$`));
    await loop(terminal, 20_000);
    hotPlug.close();
    await guest.waitFor(`ls ${terminal} || true`, /No such file/);
    rig.usb.bus.unplug(hotPlugConnector);
  }
});

test("a device that leaves its bus under the guest comes back on the same connection", { skip }, async () => {
  await guest.clearDmesg();
  // A read is under way when the cable is pulled.
  await guest.run("cat /dev/ttyACM0 > /dev/null 2>&1 &");
  rig.usb.bus.unplug(modemConnector);
  await guest.waitFor("ls /dev/ttyACM0 || true", /No such file/);
  rig.usb.bus.plugIn(modem, modemConnector);
  await guest.waitFor("ls /dev/ttyACM0", /^\/dev\/ttyACM0$/);
  await loop("/dev/ttyACM0", 20_000);
  const log = await guest.dmesg();
  assert.equal(log.match(/USB disconnect/g)?.length, 1);
  assert.equal(log.match(/ttyACM0: USB ACM device/g)?.length, 1);
});
