// Hostile peers of USB/IP: mutated and truncated sessions on server and client, and no leak over many attachments.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { VirtualClock } from "@drydock/core/base/virtual-clock";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { UsbipServer } from "@drydock/core/outlets/usbip/usbip-server";
import type { UsbHostPort } from "@drydock/core/ports/usb-host";
import { memoryStreamPair } from "@drydock/core/rigs/memory-stream";
import { SimUsbBus } from "@drydock/core/transports/sim/usb-bus";
import { UsbipImporter } from "@drydock/core/transports/usbip/usbip-importer";
import { collector, mutate, QuietClient, TestStream, whole } from "../hostile-peers.ts";

class Bench {
  readonly clock = new VirtualClock();
  readonly server: UsbipServer;

  constructor() {
    const bus = new SimUsbBus({ clock: this.clock, random: new Random(1), timing: "none" });
    this.server = new UsbipServer();
    bus.onAttach((port) => this.server.attach(port));
    bus.plugIn(new LoopbackDevice());
    this.clock.runUntil();
  }
}

const setup = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const getDevice = setup(0x80, 6, 0, 1, 0, 0, 18, 0);
const getConfiguration = setup(0x80, 6, 0, 2, 0, 0, 255, 0);
const setConfiguration = setup(0, 9, 1, 0, 0, 0, 0, 0);

/** What an importer does in a short life: enumerate, echo, leave an IN pending, cancel it. */
function drive(port: UsbHostPort, client: QuietClient, settle: () => void): void {
  const control = (slot: number, bytes: Uint8Array, room: number): void => {
    if (port.control(slot, bytes, new Uint8Array(room), 0) === 0) client.open.add(slot);
    settle();
  };
  const transfer = (slot: number, endpoint: number, length: number): void => {
    if (port.transfer(slot, endpoint, new Uint8Array(length).fill(7), 0, length) === 0) client.open.add(slot);
  };
  control(0, getDevice, 18);
  control(0, getConfiguration, 255);
  control(0, setConfiguration, 0);
  transfer(1, 0x01, 100);
  settle();
  transfer(2, 0x81, 64);
  settle();
  transfer(3, 0x81, 64);
  settle();
  transfer(4, 0x81, 64);
  port.cancel(4);
  settle();
}

/** Both directions of one good session, as they went over the wire. */
function record(): { fromClient: Uint8Array[]; fromServer: Uint8Array[]; completions: number } {
  const bench = new Bench();
  const near = new TestStream();
  const far = new TestStream();
  const fromClient: Uint8Array[] = [];
  const fromServer: Uint8Array[] = [];
  const client = new QuietClient();
  let port: UsbHostPort | null = null;
  bench.server.accept(far);
  const settle = (): void => {
    for (let round = 0; round < 8; round++) {
      const up = near.takeSent();
      if (up.length > 0) {
        fromClient.push(up);
        far.client?.received(up);
      }
      bench.clock.runUntil(bench.clock.nowNs() + 1000);
      const down = far.takeSent();
      if (down.length > 0) {
        fromServer.push(down);
        near.client?.received(down);
      }
    }
  };
  new UsbipImporter({
    clock: bench.clock,
    busId: "1-1",
    connect: () => near,
    onAttach: (attached) => {
      port = attached;
      attached.connect(client);
    },
  });
  settle();
  if (port === null) throw new Error("nothing was imported");
  drive(port, client, settle);
  assert.deepEqual([...client.open], []);
  return { fromClient, fromServer, completions: client.ended };
}

const recorded = record();
test("the recorded session is a good one", () => {
  assert.ok(recorded.completions >= 6, `${recorded.completions} completions`);
});

/** Replays bytes at a server, then checks that it still serves somebody else. */
function replayAtServer(bench: Bench, bytes: Uint8Array): void {
  const stream = new TestStream();
  bench.server.accept(stream);
  stream.client?.received(bytes);
  bench.clock.runUntil(bench.clock.nowNs() + 1000);
  assert.ok(stream.sentBytes < 1 << 20, "replies do not grow beyond what was asked for");
  if (!stream.isClosed) stream.client?.closed();
  bench.clock.runUntil(bench.clock.nowNs() + 1000);
  assert.equal(bench.server.sessionCount, 0);
}

function isServing(bench: Bench): boolean {
  const stream = new TestStream();
  bench.server.accept(stream);
  stream.client?.received(recorded.fromClient[0]);
  const isServed = stream.sentBytes === 320;
  stream.client?.closed();
  bench.clock.runUntil(bench.clock.nowNs() + 1000);
  return isServed;
}

test("a server survives every truncation of a session", () => {
  const bench = new Bench();
  const all = whole(recorded.fromClient);
  for (let length = 0; length <= all.length; length++) replayAtServer(bench, all.slice(0, length));
  assert.ok(isServing(bench));
});

const mutatedMessages = 1_000_000;

test("a server survives mutated messages", () => {
  const bench = new Bench();
  const random = new Random(7);
  const importing = recorded.fromClient[0];
  const messages = recorded.fromClient.slice(1);
  let seen = 0;
  for (let round = 0; seen < mutatedMessages; round++) {
    const stream = new TestStream();
    bench.server.accept(stream);
    // Now and then the import itself is hostile; mostly the hostility begins inside a good session.
    const begin = importing.slice();
    if (random.chance(0.05)) mutate(begin, random);
    stream.client?.received(begin);
    for (let count = 0; count < 200 && !stream.isClosed; count++) {
      const message = messages[random.below(messages.length)].slice();
      // A fresh sequence, so that what ends a session is the mutation and not a repetition.
      new DataView(message.buffer).setUint32(4, seen + 1000);
      mutate(message, random);
      stream.client?.received(message);
      seen++;
      if ((count & 15) === 0) bench.clock.runUntil(bench.clock.nowNs() + 1000);
      assert.ok(stream.sentBytes < 32 << 20);
      stream.takeSent();
    }
    if (!stream.isClosed) stream.client?.closed();
    bench.clock.runUntil(bench.clock.nowNs() + 1000);
    if (round % 1000 === 0) assert.ok(isServing(bench), `another client is served after round ${round}`);
  }
  assert.equal(bench.server.sessionCount, 0);
  assert.ok(isServing(bench));
});

/** An importer that meets these answers; true when it had to give up. */
function replayAtClient(answers: readonly Uint8Array[], closes: boolean): { port: boolean; gaveUp: boolean } {
  const clock = new VirtualClock();
  const stream = new TestStream();
  const client = new QuietClient();
  let port: UsbHostPort | null = null;
  const problems: string[] = [];
  new UsbipImporter({
    clock,
    busId: "1-1",
    connect: () => stream,
    onAttach: (attached) => {
      port = attached;
      attached.connect(client);
    },
    onProblem: (reason) => problems.push(reason),
  });
  let next = 0;
  const settle = (): void => {
    if (next < answers.length) stream.client?.received(answers[next++].slice());
  };
  settle();
  const attached = port as UsbHostPort | null;
  if (attached !== null) {
    drive(attached, client, settle);
    while (next < answers.length) settle();
  }
  if (closes || stream.isClosed) stream.client?.closed();
  // A server that falls silent is given up, too.
  clock.runUntil(clock.nowNs() + 60_000_000_000);
  if (!closes && !stream.isClosed) stream.client?.closed();
  assert.equal(client.open.size, 0, "every transfer ended");
  assert.ok(problems.length <= 1, problems.join("; "));
  if (attached !== null) assert.ok(client.isDetached);
  return { port: attached !== null, gaveUp: problems.length === 1 };
}

test("a client survives every truncation of a session", () => {
  const all = whole(recorded.fromServer);
  for (let length = 0; length <= all.length; length++) {
    const cut: Uint8Array[] = [];
    let left = length;
    for (const part of recorded.fromServer) {
      if (left <= 0) break;
      cut.push(part.slice(0, left));
      left -= part.length;
    }
    assert.ok(replayAtClient(cut, length % 2 === 0).gaveUp);
  }
});

test("a client survives mutated answers", () => {
  const random = new Random(11);
  let seen = 0;
  let imported = 0;
  while (seen < mutatedMessages) {
    const answers = recorded.fromServer.map((part) => part.slice());
    const from = random.chance(0.05) ? 0 : 1;
    for (let index = from; index < answers.length; index++) mutate(answers[index], random);
    seen += answers.length;
    if (replayAtClient(answers, true).port) imported++;
  }
  assert.ok(imported > 1000, "most hostility begins after the import");
});

test("100 000 attachments leave nothing behind, on the server or on the client", () => {
  const collect = collector();
  const clock = new VirtualClock();
  const bus = new SimUsbBus({ clock, random: new Random(1), timing: "none" });
  const server = new UsbipServer();
  bus.onAttach((port) => server.attach(port));
  const device = new LoopbackDevice();
  let connector = bus.plugIn(device);
  clock.runUntil();
  // Never to the end of time: what is forgotten must be cancelled, not have run.
  const settle = (): void => clock.runUntil(clock.nowNs() + 1000);
  let ended = 0;
  const once = (pullsCable: boolean): void => {
    const client = new QuietClient();
    let attached: UsbHostPort | null = null;
    const importer = new UsbipImporter({
      clock,
      busId: "1-1",
      connect: () => {
        const [near, far] = memoryStreamPair({ clock });
        server.accept(far);
        return near;
      },
      onAttach: (port) => {
        attached = port;
        port.connect(client);
      },
    });
    settle();
    const port = attached as UsbHostPort | null;
    if (port === null) return;
    for (const bytes of [getConfiguration, setConfiguration]) {
      if (port.control(0, bytes, new Uint8Array(255), 0) === 0) client.open.add(0);
      settle();
    }
    // One read is still open when the attachment ends.
    if (port.transfer(1, 0x81, new Uint8Array(64), 0, 64) === 0) client.open.add(1);
    if (pullsCable) {
      bus.unplug(connector);
      settle();
      connector = bus.plugIn(device);
    } else importer.stop();
    settle();
    if (client.isDetached && client.ended === 3) ended++;
  };
  for (let count = 0; count < 5000; count++) once(count % 2 === 0);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let count = 0; count < 95_000; count++) once(count % 2 === 0);
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.equal(ended, 100_000, "attachments that did all they should");
  assert.equal(server.sessionCount, 0);
  assert.equal(server.exports.size, 1);
  assert.equal(clock.pending, 0, "no timer is left");
  // The smallest object that stayed from each attachment would be 1.1 MB.
  assert.ok(grown < 512 << 10, `the heap grew by ${grown} bytes`);
});
