// Hostile peers of usbredir: mutated and truncated sessions on outlet and transport, and no leak over attachments.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { VirtualClock } from "@drydock/core/base/virtual-clock";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { packetsOf, qemuSession } from "@drydock/core/codec/usbredir/qemu-session";
import { encodeUsbredir } from "@drydock/core/codec/usbredir/usbredir-messages";
import { CdcAcmDevice } from "@drydock/core/devices/cdc-acm/cdc-acm-device";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { UsbredirGuest } from "@drydock/core/outlets/usbredir/test/usbredir-guest";
import { UsbredirOutlet } from "@drydock/core/outlets/usbredir/usbredir-outlet";
import type { UsbDevicePort } from "@drydock/core/ports/usb-device";
import type { UsbHostPort } from "@drydock/core/ports/usb-host";
import { memoryStreamPair } from "@drydock/core/rigs/memory-stream";
import { SimUsbBus } from "@drydock/core/transports/sim/usb-bus";
import { UsbredirImporter } from "@drydock/core/transports/usbredir/usbredir-importer";
import { collector, mutate, QuietClient, TestStream, whole } from "../hostile-peers.ts";

/** What outlet and transport, or outlet and QEMU, agree upon. */
const agreed = 0x7b;

/** Two outlets on one bus: one for the hostile guest, one whose guest must not notice. */
class Bench {
  readonly clock = new VirtualClock();
  readonly bus: SimUsbBus;
  readonly outlet: UsbredirOutlet;
  readonly #neighbour: UsbredirGuest;
  #nextId = 10;

  constructor(
    device: (clock: VirtualClock) => UsbDevicePort = () => new LoopbackDevice(undefined, UsbSpeed.super),
  ) {
    const { clock } = this;
    this.bus = new SimUsbBus({ clock, random: new Random(1), timing: "none" });
    this.outlet = new UsbredirOutlet({ clock });
    const other = new UsbredirOutlet({ clock });
    this.bus.onAttach((port) => (port.locationId === 0x0010_0000 ? this.outlet : other).attach(port));
    this.bus.plugIn(device(clock), 1);
    this.bus.plugIn(new LoopbackDevice(), 2);
    this.settle();
    const [near, far] = memoryStreamPair({ clock });
    other.accept(far);
    this.#neighbour = new UsbredirGuest(near);
    this.settle();
    this.#neighbour.send({ kind: "setConfiguration", configuration: 1 }, 1);
    this.settle();
    assert.ok(this.isServing());
  }

  /** Never to the end of time: what is forgotten must be cancelled, not have run. */
  settle(): void {
    this.clock.runUntil(this.clock.nowNs() + 1000);
  }

  /** The neighbour's data goes round, and a new guest at the hostile one's outlet is shown the device. */
  isServing(): boolean {
    const neighbour = this.#neighbour;
    const id = this.#nextId++;
    neighbour.take();
    neighbour.bulkOut(id, 0x01, Uint8Array.of(id & 0xff));
    neighbour.bulkIn(id + 0x1000_0000, 0x81, 64);
    this.settle();
    const { data } = neighbour.takeOne("bulkPacket", id + 0x1000_0000);
    const [near, far] = memoryStreamPair({ clock: this.clock });
    this.outlet.accept(far);
    const guest = new UsbredirGuest(near);
    this.settle();
    const isShown = guest.take().some(({ message }) => message.kind === "deviceConnect");
    guest.close();
    this.settle();
    return isShown && data.length === 1 && data[0] === (id & 0xff);
  }
}

const setup = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

/** What a guest does in a short life: enumerate, echo, with and without streams, reports, alternates, cancel, reset. */
function drive(port: UsbHostPort, client: QuietClient, settle: () => void): void {
  const control = (bytes: Uint8Array, room = 0): void => {
    if (port.control(0, bytes, new Uint8Array(room), 0) === 0) client.open.add(0);
    settle();
  };
  const transfer = (slot: number, endpoint: number, length: number, stream = 0): void => {
    if (port.transfer(slot, endpoint, new Uint8Array(length).fill(7), 0, length, stream) === 0)
      client.open.add(slot);
    settle();
  };
  control(setup(0x80, 6, 0, 1, 0, 0, 18, 0), 18);
  control(setup(0x80, 6, 0, 2, 0, 0, 255, 0), 255);
  control(setup(0, 9, 1, 0, 0, 0, 0, 0));
  control(setup(0x80, 8, 0, 0, 0, 0, 1, 0), 1);
  transfer(1, 0x01, 100);
  transfer(2, 0x81, 64);
  transfer(3, 0x81, 64);
  transfer(4, 0x82, 8);
  control(setup(0x40, 4, 0x5a, 0, 0, 0, 0, 0));
  control(setup(1, 11, 1, 0, 0, 0, 0, 0));
  control(setup(0x81, 10, 0, 0, 0, 0, 1, 0), 1);
  transfer(5, 0x83, 64);
  transfer(6, 0x01, 40, 3);
  transfer(7, 0x81, 64, 3);
  transfer(8, 0x81, 64, 5);
  port.cancel(8);
  settle();
  port.reset();
  settle();
}

/** An importer at `stream`; every port it attaches has a client of its own. */
function importFrom(clock: VirtualClock, stream: TestStream) {
  const ports: { readonly port: UsbHostPort; readonly client: QuietClient }[] = [];
  const problems: string[] = [];
  new UsbredirImporter({
    clock,
    connect: () => stream,
    onAttach: (port) => {
      const client = new QuietClient();
      port.connect(client);
      ports.push({ port, client });
    },
    onProblem: (reason) => problems.push(reason),
  });
  return { ports, problems };
}

/** Both directions of one good session, as they went over the wire. */
function record(): { fromGuest: Uint8Array[]; fromHost: Uint8Array[]; completions: number } {
  const bench = new Bench();
  const near = new TestStream();
  const far = new TestStream();
  const fromGuest: Uint8Array[] = [];
  const fromHost: Uint8Array[] = [];
  bench.outlet.accept(far);
  const { ports } = importFrom(bench.clock, near);
  const settle = (): void => {
    for (let round = 0; round < 8; round++) {
      const up = near.takeSent();
      if (up.length > 0) {
        fromGuest.push(up);
        far.client?.received(up);
      }
      bench.settle();
      const down = far.takeSent();
      if (down.length > 0) {
        fromHost.push(down);
        near.client?.received(down);
      }
    }
  };
  settle();
  const [{ port, client }] = ports;
  drive(port, client, settle);
  assert.equal(ports.length, 2, "the device came back from its reset");
  assert.deepEqual([...client.open], []);
  return { fromGuest, fromHost, completions: client.ended };
}

const recorded = record();

test("the recorded session is a good one", () => {
  assert.ok(recorded.completions >= 15, `${recorded.completions} completions`);
});

/** Replays bytes at the outlet, then goes. */
function replay(bench: Bench, bytes: Uint8Array): void {
  const stream = new TestStream();
  bench.outlet.accept(stream);
  stream.client?.received(bytes);
  bench.settle();
  assert.ok(stream.sentBytes < 1 << 20, "answers do not grow beyond what was asked for");
  if (!stream.isClosed) stream.client?.closed();
  bench.settle();
  assert.equal(bench.outlet.hasGuest, false);
  assert.equal(bench.outlet.pending, 0);
}

test("an outlet survives every truncation of a session: our transport's, and QEMU's", () => {
  const ours = new Bench();
  const all = whole(recorded.fromGuest);
  for (let length = 0; length <= all.length; length++) replay(ours, all.slice(0, length));
  assert.ok(ours.isServing());
  const modem = new Bench((clock) => new CdcAcmDevice({ clock, pacing: "none" }));
  for (let length = 0; length <= qemuSession.length; length++) replay(modem, qemuSession.slice(0, length));
  assert.ok(modem.isServing());
});

/** A million over both sides. */
const mutatedAtOutlet = 700_000;
const mutatedAtTransport = 300_000;
const packetsPerSession = 200;

test("an outlet survives mutated packets, and serves others meanwhile", () => {
  const bench = new Bench();
  const random = new Random(7);
  const [hello, ...ours] = [...packetsOf(whole(recorded.fromGuest), agreed)].map(({ bytes }) => bytes);
  const foreign = [...packetsOf(qemuSession, agreed)].map(({ bytes }) => bytes).slice(1);
  const packets = [...ours, ...foreign];
  const setConfiguration = encodeUsbredir({ kind: "setConfiguration", configuration: 1 }, 1, agreed);
  const collect = collector();
  let seen = 0;
  let ended = 0;
  let before = 0;
  for (let round = 0; seen < mutatedAtOutlet; round++) {
    if (round === 1000) {
      collect();
      before = process.memoryUsage().heapUsed;
    }
    const stream = new TestStream();
    bench.outlet.accept(stream);
    const begin = hello.slice();
    // Now and then the hello itself is hostile; mostly the hostility begins inside a good session.
    if (random.chance(0.05)) mutate(begin, random);
    stream.client?.received(begin);
    stream.client?.received(setConfiguration.slice());
    bench.settle();
    for (let count = 0; count < packetsPerSession && !stream.isClosed; count++) {
      const packet = packets[random.below(packets.length)].slice();
      mutate(packet, random);
      stream.client?.received(packet);
      seen++;
      if ((count & 15) === 0) bench.settle();
      assert.ok(bench.outlet.pending <= 178);
      assert.ok(stream.sentBytes < 96 << 20);
      stream.takeSent();
    }
    if (stream.isClosed) ended++;
    else stream.client?.closed();
    bench.settle();
    assert.equal(bench.outlet.hasGuest, false);
    if (round % 2000 === 0) assert.ok(bench.isServing(), `others are served after round ${round}`);
  }
  assert.ok(ended > 1000, `${ended} guests were let go`);
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(before > 0 && grown < 1 << 20, `the heap grew by ${grown} bytes`);
  assert.ok(bench.isServing());
});

/** An importer that meets these answers; how many devices it saw, and why it gave up. */
function replayAtTransport(answers: readonly Uint8Array[]): { devices: number; problems: readonly string[] } {
  const clock = new VirtualClock();
  const stream = new TestStream();
  const { ports, problems } = importFrom(clock, stream);
  let next = 0;
  const settle = (): void => {
    if (next < answers.length && !stream.isClosed) stream.client?.received(answers[next++].slice());
    clock.runUntil(clock.nowNs() + 1000);
  };
  settle();
  if (ports.length > 0) {
    const [{ port, client }] = ports;
    drive(port, client, settle);
    while (next < answers.length && !stream.isClosed) settle();
  }
  stream.client?.closed();
  clock.runUntil(clock.nowNs() + 1000);
  for (const { client } of ports) {
    assert.equal(client.open.size, 0, "every transfer ended");
    assert.ok(client.isDetached);
  }
  assert.equal(clock.pending, 0, "no timer is left");
  return { devices: ports.length, problems };
}

test("a transport survives every truncation of a session", () => {
  const total = whole(recorded.fromHost).length;
  for (let length = 0; length <= total; length++) {
    const cut: Uint8Array[] = [];
    let left = length;
    for (const part of recorded.fromHost) {
      if (left <= 0) break;
      cut.push(part.slice(0, left));
      left -= part.length;
    }
    assert.ok(replayAtTransport(cut).problems.length >= 1);
  }
});

test("a transport survives mutated packets", () => {
  const random = new Random(11);
  let seen = 0;
  let attached = 0;
  while (seen < mutatedAtTransport) {
    const answers = recorded.fromHost.map((part) => part.slice());
    // Each session is good up to some packet; the first ones hold hello and device.
    const from = random.chance(0.05) ? 0 : random.between(1, answers.length - 1);
    for (let index = from; index < answers.length; index++) mutate(answers[index], random);
    seen += answers.length - from;
    if (replayAtTransport(answers).devices > 0) attached++;
  }
  assert.ok(attached > 1000, "most hostility begins after the device was announced");
});

test("20 000 attachments leave nothing behind, on the outlet or on the transport", () => {
  const collect = collector();
  const bench = new Bench();
  const { clock } = bench;
  let ended = 0;
  const once = (pullsCable: boolean): void => {
    const [near, far] = memoryStreamPair({ clock });
    bench.outlet.accept(far);
    const clients: QuietClient[] = [];
    const ports: UsbHostPort[] = [];
    const importer = new UsbredirImporter({
      clock,
      connect: () => near,
      onAttach: (port) => {
        clients.push(new QuietClient());
        port.connect(clients[clients.length - 1]);
        ports.push(port);
      },
    });
    bench.settle();
    const [port] = ports;
    const [client] = clients;
    const control = (bytes: Uint8Array): void => {
      if (port.control(0, bytes, new Uint8Array(255), 0) === 0) client.open.add(0);
      bench.settle();
    };
    control(setup(0x80, 6, 0, 2, 0, 0, 255, 0));
    control(setup(0, 9, 1, 0, 0, 0, 0, 0));
    // Reads that are still open when the attachment ends.
    if (port.transfer(1, 0x81, new Uint8Array(64), 0, 64, 2) === 0) client.open.add(1);
    if (port.transfer(2, 0x82, new Uint8Array(8), 0, 8) === 0) client.open.add(2);
    bench.settle();
    if (pullsCable) {
      bench.bus.unplug(1);
      bench.settle();
    }
    importer.stop();
    bench.settle();
    if (pullsCable) bench.bus.plugIn(new LoopbackDevice(undefined, UsbSpeed.super), 1);
    bench.settle();
    if (clients.every(({ isDetached }) => isDetached) && client.ended === 4) ended++;
  };
  const warmUp = 2000;
  for (let count = 0; count < warmUp; count++) once(count % 2 === 0);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let count = warmUp; count < 20_000; count++) once(count % 2 === 0);
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.equal(ended, 20_000, "attachments that did all they should");
  assert.equal(clock.pending, 0, "no timer is left");
  // The smallest object that stayed from each attachment would be 216 kB.
  assert.ok(grown < 160 << 10, `the heap grew by ${grown} bytes`);
  assert.ok(bench.isServing());
});
