// RFC 2217 in memory: telnet options without loops, every request answered with what is in force, bytes in order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { encodeSubnegotiation, Telnet, TelnetOption, TelnetReader } from "../codec/rfc2217/telnet.ts";
import { FtdiDevice } from "../devices/ftdi/ftdi-device.ts";
import { ScriptedFarEnd, type ScriptStep } from "../devices/serial-far-ends.ts";
import { Rfc2217Server } from "../outlets/rfc2217/rfc2217-server.ts";
import type { ByteStream } from "../ports/byte-stream.ts";
import { memoryStreamPair } from "./memory-stream.ts";
import { defaultSerialRig } from "./serial-rig.ts";

const { will, wont, do: do_, dont } = Telnet;
const comPort = TelnetOption.comPort;

/** A client that keeps what it hears, in words. */
class Client {
  readonly data: number[] = [];
  readonly negotiations: [number, number][] = [];
  readonly answers: number[][] = [];
  /** How the modem lines stood when it began to speak. */
  greeting: number[] | null = null;
  isClosed = false;
  readonly stream: ByteStream;

  constructor(stream: ByteStream) {
    this.stream = stream;
    const reader = new TelnetReader({
      data: (bytes) => this.data.push(...bytes),
      negotiation: (command, option) => this.negotiations.push([command, option]),
      subnegotiation: (_option, content) => {
        if (this.greeting === null && content[0] === 107) this.greeting = [...content];
        else this.answers.push([...content]);
      },
      command: () => {},
    });
    reader.isBinary = true;
    stream.connect({
      received: (bytes) => reader.push(bytes),
      drained: () => {},
      closed: () => {
        this.isClosed = true;
      },
    });
  }

  send(...bytes: number[]): void {
    this.stream.write(Uint8Array.from(bytes));
  }

  ask(...content: number[]): void {
    this.stream.write(encodeSubnegotiation(comPort, Uint8Array.from(content)));
  }
}

async function bench(steps: readonly ScriptStep[] = []) {
  const rig = defaultSerialRig(1, hostTurn, { devices: [] });
  const clock = rig.machine.scheduler;
  const farEnd = new ScriptedFarEnd(clock, steps);
  const device = new FtdiDevice({ clock, farEnds: [farEnd] });
  rig.bus.plugIn(device);
  await rig.run(1e9);
  const events: string[] = [];
  const server = new Rfc2217Server(rig.ports[0], { clock, onEvent: (text) => events.push(text) });
  const connect = () => {
    const [near, far] = memoryStreamPair({
      clock,
      random: rig.machine.random.fork("net"),
      latencyNs: 10_000,
    });
    server.accept(far, "a test");
    return new Client(near);
  };
  const later = (seconds: number) => rig.run(clock.nowNs() + seconds * 1e9);
  return { rig, farEnd, device, server, connect, later, events };
}

test("options that are known are agreed once, others are declined, and nobody talks for ever", async () => {
  const { connect, later } = await bench();
  const client = connect();
  await later(0.1);
  const offered = client.negotiations.splice(0);
  assert.ok(offered.some(([command, option]) => command === will && option === TelnetOption.binary));
  client.send(
    255,
    will,
    comPort,
    255,
    do_,
    comPort,
    255,
    do_,
    TelnetOption.binary,
    255,
    will,
    TelnetOption.binary,
  );
  await later(0.1);
  assert.deepEqual(client.negotiations, [], "all of it was offered already: no answer to an answer");
  client.send(255, do_, 24, 255, will, 31, 255, dont, TelnetOption.echo, 255, dont, TelnetOption.echo);
  await later(0.1);
  assert.deepEqual(client.negotiations, [
    [wont, 24],
    [dont, 31],
    [wont, TelnetOption.echo],
  ]);
});

// RFC 2217 §3: "the server responds with the value that is actually used".
test("speed, size, parity and stop bits reach the chip, and each is answered with what is in force", async () => {
  const { connect, later, device } = await bench();
  const client = connect();
  client.ask(1, 0, 1, 0xc2, 0);
  client.ask(2, 7);
  client.ask(3, 3);
  client.ask(4, 2);
  await later(0.5);
  assert.deepEqual(client.answers.splice(0), [
    [101, 0, 1, 0xc2, 0],
    [102, 7],
    [103, 3],
    [104, 2],
  ]);
  const { baudRate, dataBits, parity, stop } = device.observe();
  assert.deepEqual([baudRate, dataBits, parity, stop], [115385, 7, 2, 2]);
  client.ask(2, 5);
  client.ask(1, 0, 0, 0, 0);
  client.ask(3, 0);
  await later(0.5);
  assert.deepEqual(client.answers, [
    [102, 7],
    [101, 0, 1, 0xc2, 0],
    [103, 3],
  ]);
});

test("DTR, RTS, break and flow control, set and asked", async () => {
  const { connect, later, device, farEnd } = await bench();
  const client = connect();
  for (const value of [9, 11, 10, 7, 5, 4, 6, 3, 0, 13, 1, 19]) client.ask(5, value);
  await later(1);
  const answers = client.answers.filter(([code]) => code === 105).map(([, value]) => value);
  assert.deepEqual(answers, [9, 11, 11, 9, 5, 5, 6, 3, 3, 16, 1, 1]);
  assert.deepEqual([device.observe().dtr, device.observe().rts], [false, true]);
  assert.deepEqual(
    farEnd.lineChanges.filter((line) => line.startsWith("break")),
    ["break on", "break off"],
  );
});

test("modem lines with their changes, line errors by their mask", async () => {
  const { connect, later } = await bench([
    { atNs: 3e9, modem: { cts: true, dcd: true } },
    { atNs: 4e9, modem: { cts: false } },
    { atNs: 5e9, error: "parity", send: "A" },
  ]);
  const client = connect();
  client.ask(10, 0x04);
  client.ask(11, 0x11);
  client.ask(7);
  await later(6);
  assert.deepEqual(client.answers, [
    [110, 0x04],
    [111, 0x11],
    [107, 0],
    [107, 0x11],
    [107, 0x01],
    [106, 0x04],
  ]);
  assert.deepEqual(client.data, [0x41]);
});

// pyserial 3.5, rfc2217.py: "remote sends no NOTIFY_MODEMSTATE" when a line is asked for before any has changed.
test("a client that agrees to Com Port Control is told how the modem lines stand, once", async () => {
  const { connect, later } = await bench();
  const client = connect();
  await later(0.1);
  client.send(255, will, comPort, 255, do_, comPort);
  await later(0.1);
  client.ask(7);
  await later(0.1);
  assert.deepEqual([client.greeting, client.answers], [[107, 0], [[107, 0]]]);
});

test("every byte value both ways, in order with the requests between them; FFh is FFh", async () => {
  const { connect, later, farEnd } = await bench([
    { afterBytes: 512, send: Uint8Array.from({ length: 200 }, (_, i) => 255 - i) },
  ]);
  const client = connect();
  const all = Uint8Array.from({ length: 256 }, (_, index) => index);
  const escaped = [...all].flatMap((byte) => (byte === 255 ? [255, 255] : [byte]));
  client.send(255, will, TelnetOption.binary);
  client.send(...escaped);
  client.ask(1, 0, 0, 0x25, 0x80);
  client.send(...escaped);
  await later(3);
  assert.deepEqual(farEnd.heard, [...all, ...all]);
  assert.deepEqual(
    client.data,
    Array.from({ length: 200 }, (_, index) => 255 - index),
  );
});

test("CR NUL of a client that does not send binary is CR; a suspended client hears nothing until it resumes", async () => {
  const { connect, later, farEnd } = await bench([{ afterText: "\r!", send: "back" }]);
  const client = connect();
  client.send(255, wont, TelnetOption.binary);
  client.ask(8);
  client.send(13, 0, 0x21);
  await later(1);
  assert.deepEqual(farEnd.heard, [13, 0x21]);
  assert.deepEqual(client.data, []);
  client.ask(9);
  await later(0.1);
  assert.equal(String.fromCharCode(...client.data), "back");
});

test("one client at a time; the next is told, and has the port when the first has gone and its bytes have left", async () => {
  const { connect, later, farEnd, events } = await bench();
  const first = connect();
  first.ask(0);
  await later(0.1);
  const second = connect();
  await later(0.1);
  assert.match(String.fromCharCode(...second.data), /usbserial-DD000001: another client has it/);
  assert.equal(second.isClosed, true);
  for (let block = 0; block < 10; block++) first.send(...new Array<number>(500).fill(block));
  await later(0.2);
  first.stream.close();
  await later(10);
  assert.equal(farEnd.heard.length, 5000);
  const third = connect();
  third.ask(0);
  await later(1);
  assert.match(String.fromCharCode(...third.answers[0].slice(1)), /Drydock usbserial/);
  assert.ok(events.some((text) => text.includes("turned away")));
});

test("a client that says nothing keeps nobody out: who says something has the port, half a word is none", async () => {
  const { connect, later, farEnd, events } = await bench();
  const silent = connect();
  await later(0.1);
  const mute = connect();
  const half = connect();
  half.send(255, 251);
  await later(0.1);
  assert.equal(silent.isClosed, true, "somebody began to say something");
  const honest = connect();
  honest.send(104, 105);
  honest.ask(0);
  await later(0.2);
  assert.equal(half.isClosed, true);
  assert.match(String.fromCharCode(...honest.answers[0].slice(1)), /Drydock usbserial/);
  assert.deepEqual(farEnd.heard, [104, 105], "what it said at the door is not lost");
  await later(1);
  assert.match(String.fromCharCode(...mute.data), /another client has it/);
  const late = connect();
  late.ask(0);
  await later(0.1);
  assert.match(String.fromCharCode(...late.data), /another client has it/);
  assert.equal(honest.isClosed, false);
  assert.ok(events.some((text) => text.includes("had said nothing")));
});

test("a client that writes and closes at once: all of it is heard, and the next client has the port then", async () => {
  const { connect, later, farEnd, server } = await bench();
  const client = connect();
  client.ask(1, 0, 1, 0xc2, 0);
  for (let block = 0; block < 60; block++) client.send(...new Array<number>(1000).fill(block));
  client.stream.close();
  await later(1);
  assert.equal(server.isInUse, true);
  await later(10);
  assert.equal(farEnd.heard.length, 60_000);
  assert.equal(server.isInUse, false);
});

test("the cable out ends the connection; nonsense from a client ends nothing", async () => {
  const { rig, connect, later, server } = await bench();
  const client = connect();
  const random = rig.machine.random.fork("nonsense");
  for (let round = 0; round < 2000; round++)
    client.send(255, random.below(256), random.below(256), random.below(256));
  client.ask(99, 1);
  client.ask();
  client.ask(1, 1);
  await later(2);
  assert.equal(client.isClosed, false);
  rig.bus.unplug(1);
  await later(1);
  assert.equal(client.isClosed, true);
  assert.equal(server.isInUse, false);
  assert.equal(rig.machine.failure, null);
});
