// Web Serial over rigs: grants and filters, open and close, streams and their errors, signals, disconnections.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { PageRig, type PageRigOptions } from "../../rigs/page-rig.ts";
import { makeSerialDevice } from "../../rigs/serial-rig.ts";
import type { WebSerialPort } from "./web-serial-port.ts";

async function bench(options: Partial<PageRigOptions> = {}) {
  const rig = new PageRig({ seed: 4, turn: hostTurn, ...options });
  const device = makeSerialDevice("ftdi", { clock: rig.scheduler, pacing: "none" });
  const plug = rig.plugIn(device, "serial");
  await rig.settle();
  const runner = rig.runFreely((error) => {
    throw error;
  });
  return { rig, plug, runner };
}

async function opened(options: Partial<PageRigOptions> = {}) {
  const all = await bench(options);
  const port = await all.rig.serial.requestPort();
  await port.open({ baudRate: 115200 });
  return { ...all, port };
}

const rejects = (work: Promise<unknown>, name: string) => assert.rejects(work, { name });

async function send(port: WebSerialPort, bytes: Uint8Array): Promise<void> {
  const writer = port.writable?.getWriter();
  assert.ok(writer);
  await writer.write(bytes);
  writer.releaseLock();
}

async function receive(port: WebSerialPort, count: number): Promise<number[]> {
  const reader = port.readable?.getReader();
  assert.ok(reader);
  const bytes: number[] = [];
  while (bytes.length < count) {
    const { value, done } = await reader.read();
    if (done) break;
    bytes.push(...(value ?? []));
  }
  reader.releaseLock();
  return bytes;
}

test("nothing is granted at first; what was chosen is seen from then on, as the same object", async () => {
  const { rig, runner } = await bench();
  assert.deepEqual(await rig.serial.getPorts(), []);
  const port = await rig.serial.requestPort({ filters: [{ usbVendorId: 0x0403, usbProductId: 0x6001 }] });
  assert.deepEqual(port.getInfo(), { usbVendorId: 0x0403, usbProductId: 0x6001 });
  assert.equal(await rig.serial.requestPort(), port);
  assert.deepEqual(await rig.serial.getPorts(), [port]);
  await rejects(rig.serial.requestPort({ filters: [{ usbVendorId: 0x1234 }] }), "NotFoundError");
  await rejects(rig.serial.requestPort({ filters: [{ bluetoothServiceClassId: 0x1101 }] }), "NotFoundError");
  await port.forget();
  assert.deepEqual(await rig.serial.getPorts(), []);
  await rejects(port.open({ baudRate: 9600 }), "InvalidStateError");
  assert.notEqual(await rig.serial.requestPort(), port);
  runner.stop();
});

// §SerialPortFilter: the names and reasons are Chromium's kinds of errors for each.
test("filters that name nothing or contradict themselves; the user's gesture and refusal", async () => {
  let isActive = true;
  const { rig, runner } = await bench({
    serial: { hasUserActivation: () => isActive, portsFound: () => null },
  });
  const bad = [
    {},
    { usbProductId: 1 },
    { usbVendorId: 70_000 },
    { usbVendorId: 1, bluetoothServiceClassId: 1 },
    { usbVendorId: 1, usbProductId: -1 },
  ];
  for (const filter of bad) await rejects(rig.serial.requestPort({ filters: [filter] }), "TypeError");
  await rejects(rig.serial.requestPort(), "NotFoundError");
  isActive = false;
  await rejects(rig.serial.requestPort(), "SecurityError");
  runner.stop();
});

test("open: options outside their ranges are TypeErrors, a port that is open InvalidStateError", async () => {
  const { rig, runner } = await bench();
  const port = await rig.serial.requestPort();
  const bad: object[] = [
    {},
    { baudRate: 0 },
    { baudRate: -1 },
    { baudRate: 9600, dataBits: 5 },
    { baudRate: 9600, stopBits: 3 },
    { baudRate: 9600, parity: "mark" },
    { baudRate: 9600, bufferSize: 0 },
    { baudRate: 9600, bufferSize: 16 * 1024 * 1024 + 1 },
    { baudRate: 9600, flowControl: "software" },
  ];
  for (const options of bad) await rejects(port.open(options as { baudRate: number }), "TypeError");
  assert.deepEqual([port.readable, port.writable], [null, null]);
  await rejects(port.close(), "InvalidStateError");
  await rejects(port.getSignals(), "InvalidStateError");
  const opening = port.open({ baudRate: 9600 });
  await rejects(port.open({ baudRate: 9600 }), "InvalidStateError");
  await opening;
  await rejects(port.open({ baudRate: 9600 }), "InvalidStateError");
  await port.close();
  await port.open({ baudRate: 57600, dataBits: 7, parity: "even", stopBits: 2, flowControl: "hardware" });
  await port.close();
  runner.stop();
});

test("bytes both ways; a locked stream keeps the port open; streams come anew after cancel and close", async () => {
  const { port, runner } = await opened();
  const sent = Uint8Array.from({ length: 5000 }, (_, index) => index * 7);
  const writer = port.writable?.getWriter();
  const writing = writer?.write(sent);
  assert.deepEqual(await receive(port, 5000), [...sent]);
  await writing;
  await rejects(port.close(), "TypeError");
  assert.ok(port.readable !== null);
  await writer?.close();
  const first = port.readable;
  await first?.cancel();
  assert.ok(port.readable !== null && port.readable !== first);
  await send(port, Uint8Array.of(1, 2, 3));
  assert.deepEqual(await receive(port, 3), [1, 2, 3]);
  await port.close();
  assert.deepEqual([port.readable, port.writable], [null, null]);
  runner.stop();
});

test("a reader of one's own buffer, and a chunk that is no buffer", async () => {
  const { port, runner } = await opened();
  await send(port, Uint8Array.of(9, 8, 7, 6));
  const reader = port.readable?.getReader({ mode: "byob" });
  const { value } = (await reader?.read(new Uint8Array(2))) ?? {};
  assert.deepEqual([...(value ?? [])], [9, 8]);
  reader?.releaseLock();
  const writer = port.writable?.getWriter();
  const [before] = [port.writable];
  await rejects(writer?.write("text" as unknown as Uint8Array) as Promise<void>, "TypeError");
  await writer?.closed.catch(() => {});
  writer?.releaseLock();
  assert.notEqual(port.writable, before);
  runner.stop();
});

test("signals: a loop-back plug answers DTR with DSR and RTS with CTS; a break comes back as BreakError", async () => {
  const { rig, port, runner } = await opened();
  await rejects(port.setSignals({}), "TypeError");
  await port.setSignals({ dataTerminalReady: false, requestToSend: true });
  await new Promise<void>((resolve) => rig.scheduler.after(50_000_000, resolve, undefined));
  const { clearToSend, dataSetReady } = await port.getSignals();
  assert.deepEqual([clearToSend, dataSetReady], [true, false]);
  const reader = port.readable?.getReader();
  const reading = (async () => {
    for (;;) await reader?.read();
  })();
  await port.setSignals({ break: true });
  await rejects(reading, "BreakError");
  reader?.releaseLock();
  await port.setSignals({ break: false });
  assert.ok(port.readable !== null);
  runner.stop();
});

// Web Serial §disconnect: events at the port and, bubbling, at Serial; reads and writes under way end with NetworkError.
test("unplugged in mid-read: what came is read, then NetworkError; events; the device that comes back", async () => {
  const { rig, plug, port, runner } = await opened();
  const seen: unknown[] = [];
  rig.serial.addEventListener("disconnect", (event: { target: unknown }) => seen.push(event.target));
  rig.serial.onconnect = ({ type }) => seen.push(type);
  port.ondisconnect = ({ type }) => seen.push(type);
  await send(port, Uint8Array.of(1, 2, 3));
  assert.deepEqual(await receive(port, 3), [1, 2, 3]);
  const reader = port.readable?.getReader();
  const reading = reader?.read() as Promise<unknown>;
  plug.unplug();
  await rejects(reading, "NetworkError");
  reader?.releaseLock();
  await rejects(port.getSignals(), "NetworkError");
  assert.deepEqual(
    [port.readable, port.writable, port.connected, await rig.serial.getPorts()],
    [null, null, false, []],
  );
  await port.close();
  await rejects(port.open({ baudRate: 9600 }), "NetworkError");
  const back = new Promise((resolve) => rig.serial.addEventListener("connect", resolve));
  plug.plugIn();
  await back;
  const [again] = await rig.serial.getPorts();
  assert.notEqual(again, port);
  assert.deepEqual(seen, ["disconnect", port, "connect"]);
  runner.stop();
});

test("a pipe both ways by one's own TransformStream", async () => {
  const { port, runner } = await opened();
  const encoder = new TextEncoderStream();
  const piped = encoder.readable.pipeTo(port.writable as unknown as WritableStream);
  const writer = encoder.writable.getWriter();
  await writer.write("hello");
  assert.equal(String.fromCharCode(...(await receive(port, 5))), "hello");
  await writer.close();
  await piped;
  await port.close();
  runner.stop();
});

// A driver that goes on pulling bytes while its device has left would take all of a long write as sent.
test("unplugged in mid-write: the write is refused, and the driver swallows no more than its ring", async () => {
  const { rig, plug, port, runner } = await opened();
  const writing = port.writable?.getWriter().write(new Uint8Array(2_000_000)) as Promise<void>;
  plug.unplug();
  await rejects(writing, "NetworkError");
  assert.equal(rig.serialRig.ports.at(-1)?.isGone, true);
  runner.stop();
});
