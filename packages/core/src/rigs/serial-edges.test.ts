// The edges of a serial port: what a close sends, names, speed 0, chips and modems beside the usual.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { encodeConfiguration, type SettingPlan, TransferType } from "../codec/usb/descriptors.ts";
import type { Setup } from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { CdcAcmDevice } from "../devices/cdc-acm/cdc-acm-device.ts";
import { FtdiDevice, type FtdiOptions } from "../devices/ftdi/ftdi-device.ts";
import { NullModem } from "../devices/null-modem.ts";
import { ScriptedFarEnd } from "../devices/serial-far-ends.ts";
import { UsbDeviceModel } from "../devices/usb-device-model.ts";
import { UsbNak } from "../ports/usb-device.ts";
import { defaultSerialRig, nullModemRig, type SerialRig } from "./serial-rig.ts";
import { openSerialSession } from "./serial-session.ts";

const second = 1e9;
const pattern = (length: number) =>
  new Uint8Array(length).map((_, index) => (index * 31 + (index >> 8)) & 255);
const emptyRig = () => defaultSerialRig(1, hostTurn, { devices: [] });
const later = (rig: SerialRig, seconds: number) => rig.run(rig.machine.scheduler.nowNs() + seconds * second);

async function heardAfterClose(options: Omit<FtdiOptions, "clock">, baudRate: number, bytes: number) {
  const rig = emptyRig();
  const ear = new ScriptedFarEnd(rig.machine.scheduler, []);
  rig.bus.plugIn(new FtdiDevice({ clock: rig.machine.scheduler, farEnds: [ear], ...options }));
  const session = await openSerialSession(rig);
  session.configure({ baudRate });
  session.send(pattern(bytes));
  await later(rig, 0.2);
  return { rig, ear, session };
}

// Linux tty: closing_wait is 30 s in which nothing moves for us; POSIX close of a terminal waits for its output.
test("at 600 baud a close takes over half a minute, and every byte is heard before DTR drops", async () => {
  const { rig, ear, session } = await heardAfterClose({}, 600, 2000);
  assert.equal(session.sent, 2000);
  session.port.close();
  await later(rig, 40);
  assert.equal(ear.heard.length, 2000);
  assert.deepEqual(Uint8Array.from(ear.heard), pattern(2000));
  assert.equal(ear.lineChanges.at(-1), "DTR off RTS off");
  assert.equal(rig.machine.log.show().length, 0, "nothing was given up");
});

test("an open right after the close waits behind it: the chip's reset purges nothing that was accepted", async () => {
  const { rig, ear, session } = await heardAfterClose({}, 9600, 3000);
  session.port.close();
  session.reopen();
  session.configure({ baudRate: 9600 });
  session.send(pattern(10));
  await later(rig, 10);
  assert.deepEqual(ear.heard, [...pattern(3000), ...pattern(10)]);
});

// picocom and minicom users: XOFF'd or CTS-held output at exit is sent when the peer goes on.
test("output that the far end holds at the close is sent when it goes on within the wait", async () => {
  const rig = emptyRig();
  const clock = rig.machine.scheduler;
  const ear = new ScriptedFarEnd(clock, [{ atNs: 15 * second, modem: { cts: true } }]);
  rig.bus.plugIn(new FtdiDevice({ clock, chip: "ft232h", farEnds: [ear] }));
  const session = await openSerialSession(rig);
  session.configure({ rtsCts: true, baudRate: 115200 });
  session.send(pattern(5000));
  await later(rig, 1);
  assert.equal(ear.heard.length, 0);
  session.port.close();
  await rig.run(20 * second);
  assert.deepEqual(Uint8Array.from(ear.heard), pattern(5000));
});

test("a close while a loop-back plug returns everything does not wait for a reader", async () => {
  const rig = defaultSerialRig(1, hostTurn);
  const session = await openSerialSession(rig);
  session.configure({ baudRate: 115200 });
  session.send(pattern(40_000));
  await later(rig, 0.5);
  const { sent } = session;
  session.port.close();
  await later(rig, 20);
  const [device] = rig.devices as FtdiDevice[];
  assert.ok(device.ports[0].uart.transmittedBytes >= sent);
  assert.equal(rig.machine.log.show().length, 0);
});

// Clones of one development board share a serial number (Arduino, CH340 boards: "same /dev/serial/by-id").
test("two functions of one modem, two modems without a serial number, and four chips have names of their own", async () => {
  const rig = emptyRig();
  const clock = rig.machine.scheduler;
  rig.bus.plugIn(new CdcAcmDevice({ clock, serialNumber: "" }), 1);
  rig.bus.plugIn(new CdcAcmDevice({ clock, serialNumber: "" }), 2);
  rig.bus.plugIn(new TwoModems(), 3);
  for (const connector of [4, 5]) rig.bus.plugIn(new FtdiDevice({ clock, chip: "ft2232h" }), connector);
  await later(rig, 3);
  assert.equal(rig.ports.length, 8);
  assert.equal(new Set(rig.ports.map((port) => port.name)).size, 8);
  const callouts = rig.ports.map((port) => port.properties.IOCalloutDevice);
  assert.equal(new Set(callouts).size, 8);
});

// USB 2.0 §9.6.7: a string is any UTF-16; boards with unprogrammed EEPROMs have shipped with control characters in theirs.
test("a serial number that cannot stand in a file's name makes a name that can, of its own too", async () => {
  const rig = emptyRig();
  const clock = rig.machine.scheduler;
  ["a/../b", "a_.._b", "x\x1b[2J", "\0\0"].forEach((serialNumber, index) => {
    rig.bus.plugIn(new CdcAcmDevice({ clock, serialNumber }), index + 1);
  });
  await later(rig, 3);
  const names = rig.ports.map((port) => port.name);
  assert.equal(new Set(names).size, 4);
  for (const name of names) assert.match(name, /^usbmodem[\w.[-]+$/);
  for (const { properties } of rig.ports)
    assert.match(String(properties.IOCalloutDevice), /^\/dev\/cu\.usbmodem[^/]+$/);
});

test("a device that comes back gets its name back while the other keeps its own", async () => {
  const rig = emptyRig();
  const clock = rig.machine.scheduler;
  const first = new CdcAcmDevice({ clock, serialNumber: "7" });
  rig.bus.plugIn(first, 1);
  await later(rig, 2);
  rig.bus.plugIn(new CdcAcmDevice({ clock, serialNumber: "7" }), 2);
  await later(rig, 2);
  rig.bus.unplug(1);
  await later(rig, 1);
  rig.bus.plugIn(first, 1);
  await later(rig, 2);
  const names = rig.ports.filter((port) => !port.isInactive).map((port) => port.name);
  assert.deepEqual(names.sort(), ["usbmodem7", "usbmodem7-2"]);
});

// POSIX termios, B0: "the modem control lines shall no longer be asserted"; stty 0, kermit's hangup, pppd.
test("speed 0 drops DTR and RTS and asks no driver for 0 baud; the next speed raises them", async () => {
  for (const kind of ["ftdi", "cdc-acm"] as const) {
    const rig = emptyRig();
    const clock = rig.machine.scheduler;
    const ear = new ScriptedFarEnd(clock, []);
    const device =
      kind === "ftdi" ? new FtdiDevice({ clock, farEnds: [ear] }) : new CdcAcmDevice({ clock, farEnd: ear });
    rig.bus.plugIn(device);
    const session = await openSerialSession(rig);
    session.configure({ baudRate: 19200 });
    await later(rig, 0.5);
    ear.lineChanges.length = 0;
    session.configure({ baudRate: 0 });
    await later(rig, 0.5);
    assert.deepEqual(ear.lineChanges, ["DTR off RTS off"], kind);
    assert.equal(rig.ports[0].lastFailure, null, kind);
    session.configure({ baudRate: 19200 });
    await later(rig, 0.5);
    assert.deepEqual(ear.lineChanges, ["DTR off RTS off", "DTR on RTS on"], kind);
  }
});

// FTDI AN_120: 3 MHz and 12 MHz clocks; the upper bits of a divisor lie elsewhere on every chip after the FT232R.
test("each common FTDI chip carries bytes both ways at the rates that were asked for", async () => {
  for (const [chip, ports, rates] of [
    ["ft230x", 1, [9600, 115200, 921600, 3_000_000]],
    ["ft232h", 1, [300, 115200, 3_000_000, 12_000_000]],
    ["ft2232h", 2, [300, 57600, 2_000_000, 8_000_000]],
    // Same product ids as the FT232R and the FT2232H, told apart by the release only (AN232B-05: 3 MHz).
    ["ft232b", 1, [300, 115200, 3_000_000]],
    ["ft2232d", 2, [300, 230400, 2_000_000]],
  ] as const) {
    const rig = emptyRig();
    const device = new FtdiDevice({ clock: rig.machine.scheduler, chip });
    rig.bus.plugIn(device);
    await later(rig, 2);
    assert.equal(rig.ports.length, ports, chip);
    for (let index = 0; index < ports; index++) {
      const session = await openSerialSession(rig, index);
      for (const baudRate of rates) {
        session.configure({ baudRate });
        await later(rig, 0.1);
        const letters = ["A", "B"].findIndex((letter) => session.port.name.endsWith(letter));
        const { baudRate: actual } = device.observe(Math.max(0, letters));
        assert.ok(Math.abs(actual - baudRate) / baudRate < 0.03, `${chip} ${baudRate}: ${actual}`);
      }
      session.send(pattern(700));
      await later(rig, 1);
      assert.deepEqual(Uint8Array.from(session.received), pattern(700), chip);
    }
  }
});

// USB CDC 1.2 table 4: subclasses 06h (Ethernet), 0Dh (NCM), 0Eh (MBIM) name a data interface by a union too.
test("network functions with a union and a data interface are no modems", async () => {
  for (const [subClass, protocol] of [
    [0x06, 0x00],
    [0x0d, 0x00],
    [0x0e, 0x00],
    [0x02, 0xff],
  ]) {
    const rig = emptyRig();
    rig.bus.plugIn(new Modem([control(subClass, protocol, [union(0, 1)]), data(1)]));
    await later(rig, 3);
    assert.deepEqual(
      rig.ports.map((port) => port.name),
      [],
      `${subClass}/${protocol}`,
    );
  }
});

// Linux cdc-acm: its table of exceptions, and what its probe does without one.
test("modems that lack the textbook's descriptors are modems", async () => {
  const shapes: Record<string, readonly SettingPlan[]> = {
    "no functional descriptors at all": [control(2, 1, []), data(1)],
    "functional descriptors behind the endpoint": [control(2, 0, [], [union(0, 1)]), data(1)],
    "a union that names an interface that is not there": [control(2, 1, [union(0, 7)]), data(1)],
    "a union descriptor that is cut": [control(2, 1, [Uint8Array.of(4, 0x24, 6, 0)]), data(1)],
    "pipes only in alternate setting 1": [
      control(2, 1, [union(0, 1)]),
      { ...data(1), endpoints: [] },
      { ...data(1), bAlternateSetting: 1 },
    ],
    "one interface with all three pipes, no descriptors": [
      { ...control(2, 1, []), endpoints: [...notices, ...bulk] },
    ],
    "no notifications": [{ ...control(2, 1, [union(0, 1)]), endpoints: [] }, data(1)],
  };
  for (const [what, settings] of Object.entries(shapes)) {
    const rig = emptyRig();
    const modem = new Modem(settings);
    rig.bus.plugIn(modem);
    const session = await openSerialSession(rig).catch((error: Error) =>
      assert.fail(`${what}: ${error.message}`),
    );
    session.send(pattern(20));
    await later(rig, 1);
    assert.deepEqual(modem.heard, [...pattern(20)], what);
  }
});

test("a modem without any data interface is refused with what is missing", async () => {
  const rig = emptyRig();
  rig.bus.plugIn(new Modem([control(2, 1, [])]));
  await later(rig, 3);
  const log = rig.machine.log.show().map((row) => row.message);
  assert.equal(rig.ports.length, 0);
  assert.match(
    log.join(),
    /CdcAcmDriver .*no union descriptor, no call management descriptor; no data interface/,
  );
});

// com0com, tty0tty, socat: the commonest use of virtual serial ports.
test("a null modem: 1 MiB each way at once, lines and breaks across, no timer of the user's", async () => {
  const rig = nullModemRig(1, hostTurn, { devices: ["ftdi", "cdc-acm"] });
  const left = await openSerialSession(rig, 0);
  const right = await openSerialSession(rig, 1);
  const [one, two] = [pattern(1 << 20), pattern(1 << 20).reverse()];
  left.send(one);
  right.send(two);
  await rig.machine.scheduler.run(
    60 * second,
    () => left.received.length === two.length && right.received.length === one.length,
  );
  assert.deepEqual(Uint8Array.from(left.received), two);
  assert.deepEqual(Uint8Array.from(right.received), one);
  const names = rig.ports.map((port) => port.name);
  const ftdi = names[0].startsWith("usbserial") ? left : right;
  const modem = ftdi === left ? right : left;
  modem.port.setModemControl(false, false);
  modem.port.setBreak(true);
  await later(rig, 1);
  assert.deepEqual(ftdi.modemChanges.at(-1), { cts: false, dsr: false, ri: false, dcd: false });
  assert.ok(ftdi.errors.some(({ gotBreak }) => gotBreak));
});

test("two chips of one kind, paced: 8 KB each way arrive at 115200 baud", async () => {
  const rig = nullModemRig(2, hostTurn, { pacing: "baud" });
  const [left, right] = [await openSerialSession(rig, 0), await openSerialSession(rig, 1)];
  for (const session of [left, right]) session.configure({ baudRate: 115200 });
  await later(rig, 0.1);
  left.send(pattern(8000));
  right.send(pattern(8000).reverse());
  await later(rig, 2);
  assert.deepEqual(Uint8Array.from(right.received), pattern(8000));
  assert.deepEqual(Uint8Array.from(left.received), pattern(8000).reverse());
  assert.notEqual(rig.ports[0].name, rig.ports[1].name);
});

test("a receiver that nobody reads overruns after two seconds instead of holding the other for ever", async () => {
  const rig = emptyRig();
  const clock = rig.machine.scheduler;
  const cable = new NullModem(clock);
  const deaf = new FtdiDevice({ clock, farEnds: [cable.ends[1]] });
  deaf.plug({ ready: () => {}, reconnect: () => {} });
  rig.bus.plugIn(new FtdiDevice({ clock, farEnds: [cable.ends[0]] }));
  const session = await openSerialSession(rig);
  session.configure({ baudRate: 115200 });
  session.send(pattern(5000));
  await later(rig, 0.1);
  session.port.close();
  await later(rig, 10);
  assert.equal(rig.ports[0].isOpen, false);
  assert.ok(deaf.ports[0].uart.overruns > 4000);
});

const bulk = [0x81, 0x02].map((bEndpointAddress) => ({
  bEndpointAddress,
  bmAttributes: TransferType.bulk,
  wMaxPacketSize: 64,
  bInterval: 0,
}));
const notices = [
  { bEndpointAddress: 0x83, bmAttributes: TransferType.interrupt, wMaxPacketSize: 16, bInterval: 10 },
];
const union = (master: number, slave: number) => Uint8Array.of(5, 0x24, 0x06, master, slave);

function control(
  bInterfaceSubClass: number,
  bInterfaceProtocol: number,
  extra: readonly Uint8Array[],
  behind: readonly Uint8Array[] = [],
): SettingPlan {
  const endpoints = notices.map((entry) => ({ ...entry, extra: behind }));
  return {
    bInterfaceNumber: 0,
    bInterfaceClass: 2,
    bInterfaceSubClass,
    bInterfaceProtocol,
    extra,
    endpoints,
  };
}

function data(bInterfaceNumber: number): SettingPlan {
  const rest = { bInterfaceClass: 10, bInterfaceSubClass: 0, bInterfaceProtocol: 0, endpoints: bulk };
  return { bInterfaceNumber, ...rest };
}

/** Any shape of descriptors; refuses every class request, keeps what is written. */
class Modem extends UsbDeviceModel {
  readonly heard: number[] = [];

  constructor(settings: readonly SettingPlan[]) {
    super({
      speed: UsbSpeed.full,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 2,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: 64,
        idVendor: 0x1209,
        idProduct: 0x0001,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [
        encodeConfiguration(
          { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
          settings,
        ),
      ],
      strings: ["Drydock", "Odd modem", "1"],
    });
  }

  protected override powerOn(): void {}
  protected override answerRequest(_setup: Setup): null {
    return null;
  }
  protected override performRequest(): boolean {
    return false;
  }
  protected override dataIn(): number {
    return UsbNak;
  }
  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    this.heard.push(...buffer.subarray(offset, offset + length));
    return length;
  }
}

/** Two ACM functions in one device: one serial number for both. */
class TwoModems extends Modem {
  constructor() {
    const at = (address: number, endpoints: SettingPlan["endpoints"]) =>
      endpoints.map((entry) => ({ ...entry, bEndpointAddress: entry.bEndpointAddress + address }));
    super([
      control(2, 1, [union(0, 1)]),
      data(1),
      { ...control(2, 1, [union(2, 3)]), bInterfaceNumber: 2, endpoints: at(4, notices) },
      { ...data(3), endpoints: at(4, bulk) },
    ]);
  }
}
