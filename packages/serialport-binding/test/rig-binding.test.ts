// serialport's own stream over a rig: bytes, settings, modem lines, break, line errors, drain, faults, disconnection.

import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, test } from "node:test";
import { ScriptedFarEnd, type ScriptStep } from "@drydock/core/devices/serial-far-ends";
import type { SerialFarEnd, Uart } from "@drydock/core/devices/uart";
import { FreeRunner } from "@drydock/core/rigs/free-runner";
import {
  defaultSerialRig,
  type SerialRig,
  type SerialRigOptions,
  serialRequestNames,
} from "@drydock/core/rigs/serial-rig";
import { formatTrace } from "@drydock/core/trace/usb-text";
import { hostTurn } from "@drydock/node/host-turn";
import type { SerialPortStream } from "@serialport/stream";
import { RigBinding } from "../src/rig-binding.ts";
import { type RigSerialPortOptions, serialPortOver } from "../src/serial-port.ts";

const second = 1e9;
const path = "/dev/tty.usbserial-DD000001";

/** An open FTDI port has a heartbeat: its rig would run for ever. */
const runners: FreeRunner[] = [];
afterEach(() => {
  for (const runner of runners.splice(0)) runner.stop();
});

interface Bench {
  readonly rig: SerialRig;
  readonly SerialPort: ReturnType<typeof serialPortOver>;
  open(options?: Partial<RigSerialPortOptions>): Promise<SerialPortStream<RigBinding>>;
}

async function bench(options: Partial<SerialRigOptions> = {}, port = path): Promise<Bench> {
  const rig = defaultSerialRig(11, hostTurn, options);
  await rig.machine.scheduler.run(2 * second, () => rig.ports.length > 0);
  const runner = new FreeRunner(rig.machine.scheduler, (error) => {
    throw error;
  });
  runners.push(runner);
  const SerialPort = serialPortOver(new RigBinding(rig));
  const open: Bench["open"] = async (more = {}) => {
    const stream = new SerialPort({ path: port, baudRate: 115200, ...more, autoOpen: false });
    await call((done) => stream.open(done));
    return stream;
  };
  return { rig, SerialPort, open };
}

/** What hangs on the connector when the test wants to see it: built with the rig's own clock. */
function scripted(steps: readonly ScriptStep[], baudRate: number | null = null) {
  let end: ScriptedFarEnd | null = null;
  const proxy: SerialFarEnd = {
    baudRate,
    connect: (uart: Uart) => end?.connect(uart),
    room: () => end?.room() ?? 0,
    receive: (bytes, offset, length) => end?.receive(bytes, offset, length),
    linesChanged: (dtr, rts) => end?.linesChanged(dtr, rts),
    breakChanged: (on) => end?.breakChanged(on),
  };
  const clock = { nowNs: () => 0, after: () => 0, cause: 0, cancel: () => {} };
  end = new ScriptedFarEnd(clock, steps, baudRate);
  return { farEnds: [proxy], end };
}

function call(run: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error ? reject(error) : resolve())));
}

async function receive(port: SerialPortStream<RigBinding>, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let count = 0;
  while (count < length) {
    const [part] = (await once(port, "data")) as [Buffer];
    parts.push(part);
    count += part.length;
  }
  return Buffer.concat(parts);
}

const pattern = (length: number) => Buffer.from(Array.from({ length }, (_, index) => (index * 7) & 255));
const status = (port: SerialPortStream<RigBinding>) =>
  new Promise((resolve, reject) => {
    port.get((error, found) => (error ? reject(error) : resolve(found)));
  });

test("the list says what the device says of itself", async () => {
  const { SerialPort } = await bench();
  assert.deepEqual(await SerialPort.list(), [
    {
      path,
      manufacturer: "FTDI",
      serialNumber: "DD000001",
      pnpId: undefined,
      locationId: "00100000",
      productId: "6001",
      vendorId: "0403",
    },
  ]);
});

for (const [device, port] of [
  ["ftdi", path],
  ["cdc-acm", undefined],
] as const) {
  test(`64 KiB go round through ${device}, and the port opens again after a close`, async () => {
    const { open, SerialPort } = await bench({ devices: [device], pacing: "none" }, port ?? "");
    const found = (await SerialPort.list())[0].path;
    for (let round = 0; round < 2; round++) {
      const stream = await open({ path: found });
      const sent = pattern(65536);
      stream.write(sent);
      assert.ok(sent.equals(await receive(stream, sent.length)));
      await call((done) => stream.close(done));
      assert.equal(stream.isOpen, false);
    }
  });
}

test("line settings arrive at the chip, at open and by update", async () => {
  const { rig, open } = await bench({ devices: ["cdc-acm"] }, "x");
  const { path: found } = (await new RigBinding(rig).list())[0];
  const stream = await open({ path: found, baudRate: 57600, dataBits: 7, parity: "even", stopBits: 2 });
  await call((done) => stream.write("x", done));
  const device = rig.devices[0] as unknown as { observe(): { lineCoding: object } };
  assert.deepEqual(device.observe().lineCoding, {
    dwDTERate: 57600,
    bCharFormat: 2,
    bParityType: 2,
    bDataBits: 7,
  });
  await call((done) => stream.update({ baudRate: 12345 }, done));
  await call((done) => stream.write("x", done));
  assert.equal((device.observe().lineCoding as { dwDTERate: number }).dwDTERate, 12345);
  assert.deepEqual(await stream.port?.getBaudRate(), { baudRate: 12345 });
});

test("modem lines: outputs are set, inputs are read, changes are told", async () => {
  const { open } = await bench();
  const stream = await open();
  const changes: string[] = [];
  const port = stream.port;
  assert.ok(port);
  const changed = () =>
    new Promise<void>((resolve) => {
      port.onModemChange = ({ cts, dsr, dcd, ri }) => {
        changes.push([cts, dsr, dcd, ri].map(Number).join(""));
        resolve();
      };
    });
  await call((done) => stream.write("x", done));
  await receive(stream, 1);
  // A loop-back plug: RTS to CTS, DTR to DSR and DCD.
  assert.deepEqual(await status(stream), { cts: true, dsr: true, dcd: true });
  let next = changed();
  await call((done) => stream.set({ dtr: false }, done));
  await next;
  assert.deepEqual(await status(stream), { cts: true, dsr: false, dcd: false });
  next = changed();
  await call((done) => stream.set({ rts: false }, done));
  await next;
  assert.equal((await (status(stream) as Promise<{ cts: boolean }>)).cts, false);
  assert.equal(port.modemStatus.ri, false);
  assert.ok(changes.length >= 2);
});

test("a break goes out and, through the plug, comes in", async () => {
  const { open } = await bench();
  const stream = await open();
  const { port } = stream;
  assert.ok(port);
  const told = new Promise<object>((resolve) => {
    port.onReceiveError = resolve;
  });
  await call((done) => stream.set({ brk: true }, done));
  await call((done) => stream.set({ brk: false }, done));
  assert.deepEqual(await told, { overrun: false, gotBreak: true, framing: false, parity: false });
  assert.equal(port.receiveErrors.gotBreak, 1);
});

for (const [error, kind] of [
  ["parity", "parity"],
  ["framing", "framing"],
  ["overrun", "overrun"],
] as const) {
  test(`a ${error} error on the line is reported, and the bytes around it come`, async () => {
    const steps: ScriptStep[] = [
      { afterText: "go", send: "before " },
      { afterText: "on", error, send: "after" },
    ];
    const { farEnds } = scripted(steps);
    const { open } = await bench({ farEnds });
    const stream = await open();
    const { port } = stream;
    assert.ok(port);
    stream.write("go");
    assert.equal((await receive(stream, 7)).toString(), "before ");
    stream.write("on");
    assert.equal((await receive(stream, 5)).toString(), "after");
    assert.equal(port.receiveErrors[kind], 1);
  });
}

test("bytes take their time on the line: drain waits for it", async () => {
  const { rig, open } = await bench();
  const { scheduler } = rig.machine;
  const stream = await open({ baudRate: 115200 });
  await call((done) => stream.write("x", done));
  const begin = scheduler.nowNs();
  // Ten bits a character; two transfers of 4096 bytes in the driver and 128 in the chip are not waited for.
  const lineNs = (bytes: number) => (bytes * 10 * second) / 115200;
  const sent = pattern(20000);
  const back = receive(stream, 20001);
  stream.write(sent);
  await call((done) => stream.drain(done));
  const tookNs = scheduler.nowNs() - begin;
  assert.equal(rig.ports[0].transmitPending, 0);
  assert.ok(tookNs >= lineNs(20000 - 2 * 4096 - 128) && tookNs <= lineNs(20000), `${tookNs} ns`);
  assert.equal((await back).length, 20001);
});

test("flush discards what was not read", async () => {
  const steps: ScriptStep[] = [
    { afterText: "a", send: "old" },
    { afterText: "b", send: "new" },
  ];
  const { farEnds, end } = scripted(steps);
  const { rig, open } = await bench({ farEnds });
  const stream = await open();
  const { port } = stream;
  assert.ok(port);
  // Behind the stream, which would read ahead.
  await port.write(Buffer.from("a"));
  await port.drain();
  const { scheduler } = rig.machine;
  await new Promise<void>((resolve) => {
    scheduler.after(
      second / 10,
      () => {
        scheduler.expectContinuations();
        resolve();
      },
      undefined,
    );
  });
  await port.flush();
  await port.write(Buffer.from("b"));
  const buffer = Buffer.alloc(16);
  const { bytesRead } = await port.read(buffer, 0, 16);
  assert.equal(buffer.toString("latin1", 0, bytesRead), "new");
  assert.equal(end.heardText, "ab");
});

test("the cable out: the stream closes with a DisconnectedError, and works again on the new port", async () => {
  const { rig, open } = await bench();
  const stream = await open();
  stream.resume();
  await call((done) => stream.write("x", done));
  const closed = once(stream, "close");
  rig.usb.bus.unplug(1);
  const [error] = (await closed) as [Error & { disconnected?: boolean }];
  assert.equal(error.disconnected, true);
  assert.match(error.message, /disconnected/);
  assert.equal(stream.isOpen, false);
  await assert.rejects(
    call((done) => stream.open(done)),
    /the port is gone/,
  );
  const appeared = new Promise<void>((resolve) => {
    rig.machine.onRegistered(() => {
      if (rig.ports.length === 2) resolve();
    });
  });
  rig.usb.bus.plugIn(rig.devices[0], 1);
  await appeared;
  await call((done) => stream.open(done));
  const back = receive(stream, 5);
  stream.write("again");
  assert.equal((await back).toString(), "again");
});

test("an endpoint that fails under the driver shows as what the driver makes of it, never as a crash", async () => {
  const rules = [{ kind: "disconnect" as const, direction: "in" as const, endpoint: 0x81, nth: 40 }];
  const { open } = await bench({ faults: { rules } });
  const stream = await open();
  const closed = once(stream, "close");
  stream.on("error", () => {});
  let received = 0;
  stream.on("data", (part: Buffer) => {
    received += part.length;
  });
  stream.write(pattern(65536));
  const [error] = (await closed) as [Error & { disconnected?: boolean }];
  assert.equal(error.disconnected, true);
  assert.ok(received > 0 && received < 65536, `${received} bytes came before`);
});

test("a close ends the read and the write that wait, with the mark that streams look for", async () => {
  const { open } = await bench();
  const { port } = await open({ baudRate: 300 });
  assert.ok(port);
  const reading = assert.rejects(port.read(Buffer.alloc(8), 0, 8), { canceled: true });
  const writing = assert.rejects(port.write(Buffer.alloc(1 << 20)), { canceled: true });
  const draining = assert.rejects(port.drain(), { canceled: true });
  await port.close();
  await Promise.all([reading, writing, draining]);
  await assert.rejects(port.write(Buffer.alloc(1)), /Port is not open/);
  await assert.rejects(port.close(), /Port is not open/);
});

test("one program at a time; what a port cannot do is refused with a sentence", async () => {
  const { open, SerialPort } = await bench();
  await open();
  await assert.rejects(open(), /the port is open already/);
  for (const [options, message] of [
    [{ path: "/dev/tty.none" }, /No such port: \/dev\/tty.none; there are: \/dev\/tty.usbserial-DD000001/],
    [{ baudRate: 0.5 }, /baudRate 0.5 is not possible/],
    [{ dataBits: 9 }, /there are 5, 6, 7 and 8/],
    [{ stopBits: 3 }, /there are 1, 1.5 and 2/],
    [{ parity: "blue" }, /there are none, odd, even, mark, space/],
    [{ xon: true }, /set xon and xoff alike/],
    [{ xany: true }, /xany is not modelled/],
    [{ hupcl: false }, /leave hupcl out/],
  ] as [Partial<RigSerialPortOptions>, RegExp][])
    await assert.rejects(open(options), message);
  assert.throws(() => new SerialPort({ path: "", baudRate: 1 }), /"path" is not defined/);
});

test("reads and writes check their arguments", async () => {
  const { open } = await bench();
  const { port } = await open();
  assert.ok(port);
  await assert.rejects(port.read(Buffer.alloc(4), 2, 4), RangeError);
  await assert.rejects(port.read("x" as unknown as Buffer, 0, 1), TypeError);
  await assert.rejects(port.write("x" as unknown as Buffer), TypeError);
  await assert.rejects(port.update({ baudRate: -1 }), /not possible/);
  const first = port.read(Buffer.alloc(4), 0, 4);
  await assert.rejects(port.read(Buffer.alloc(4), 0, 4), /a read is under way/);
  const closed = assert.rejects(first, { canceled: true });
  await port.close();
  await closed;
});

// A system's open() comes back when the driver has reset the chip and set the line: programs send in the callback.
test("what comes in the open callback is kept from the first byte on, at the rate that was asked for", async () => {
  let uart: Uart | null = null;
  const farEnd: SerialFarEnd = {
    baudRate: 115200,
    connect: (own) => {
      uart = own;
    },
    room: () => 1 << 20,
    receive: () => {},
    linesChanged: () => {},
    breakChanged: () => {},
  };
  const { rig, open } = await bench({ farEnds: [farEnd] });
  const port = await open();
  const sent = pattern(470);
  (uart as Uart | null)?.receive(sent, 0, sent.length);
  // The FT232R holds 256 bytes; the rest is an overrun, as on a desk.
  assert.deepEqual(await receive(port, 256), sent.subarray(0, 256));
  const [device] = rig.devices as unknown as { observe(): { baudRate: number } }[];
  assert.equal(device.observe().baudRate, 115385);
  const text = formatTrace(rig.trace, { describeRequests: serialRequestNames });
  assert.equal(text.match(/SET_BAUD_RATE/g)?.length, 1, "no older rate is set first or after");
});

test("a device that leaves while it is being opened rejects the open with the reason", async () => {
  const { rig, open } = await bench();
  const opening = open();
  rig.bus.unplug(1);
  await assert.rejects(opening, /disconnected|No such port|gone/);
});
