// The usbredir transport over our own outlet, and over hosts that leave, vanish or lie.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { encodeConfiguration } from "../../codec/usb/descriptors.ts";
import { UsbredirStatus } from "../../codec/usbredir/usbredir.ts";
import { encodeUsbredir, type UsbredirMessage } from "../../codec/usbredir/usbredir-messages.ts";
import { UsbredirBench } from "../../outlets/usbredir/test/usbredir-bench.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import { RecordingClient } from "../../ports/usb-host.contract.ts";
import {
  newUsbPackets,
  type UsbHostPort,
  UsbPacketStatus,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";
import { memoryStreamPair } from "../../rigs/memory-stream.ts";
import { UsbredirImporter } from "./usbredir-importer.ts";

const setup = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const getConfiguration = setup(0x80, 6, 0, 2, 0, 0, 255, 0);
const setConfiguration = setup(0, 9, 1, 0, 0, 0, 0, 0);
const notify = (value: number) => setup(0x40, 4, value, 0, 0, 0, 0, 0);

interface Attached {
  readonly port: UsbHostPort;
  readonly client: RecordingClient;
}

/** Our importer at a bench's outlet. */
function importFrom(bench: UsbredirBench, retryNs: number | null = null) {
  const ports: Attached[] = [];
  const problems: string[] = [];
  const connections: ByteStream[] = [];
  new UsbredirImporter({
    clock: bench.clock,
    retryNs,
    connect: () => {
      const [near, far] = memoryStreamPair({ clock: bench.clock });
      connections.push(far);
      bench.outlet.accept(far);
      return near;
    },
    onAttach: (port) => {
      const client = new RecordingClient();
      port.connect(client);
      ports.push({ port, client });
    },
    onProblem: (reason) => problems.push(reason),
  });
  bench.settle();
  const configure = ({ port }: Attached): void => {
    assert.equal(port.control(0, getConfiguration, new Uint8Array(255), 0), UsbSubmit.accepted);
    bench.settle();
    assert.equal(port.control(0, setConfiguration, null, 0), UsbSubmit.accepted);
    bench.settle();
  };
  return { ports, problems, connections, configure };
}

test("reports that come between reads wait for them; a host is told to stop before too many wait, and loses none", () => {
  const bench = new UsbredirBench();
  const { ports, configure } = importFrom(bench);
  const [{ port, client }] = ports;
  configure(ports[0]);
  const reports = 40;
  const seen: number[] = [];
  const buffer = new Uint8Array(8);
  const read = (): void => {
    assert.equal(port.transfer(1, 0x82, buffer, 0, 8), UsbSubmit.accepted);
  };
  read();
  bench.settle();
  for (let value = 1; value <= reports; value++) {
    port.control(2, notify(value), null, 0);
    bench.settle();
  }
  // One read has its report; the others wait here, and in the device.
  assert.equal(client.of(1).length, 1);
  seen.push(buffer[0]);
  client.onCompleted = (slot) => {
    if (slot !== 1) return;
    seen.push(buffer[0]);
    if (seen.length < reports) read();
  };
  read();
  bench.settle();
  bench.settle();
  assert.deepEqual(
    seen,
    Array.from({ length: reports }, (_, index) => index + 1),
  );
});

test("a reset is a new port of the same device; answers to the old one's transfers are nobody's", () => {
  const bench = new UsbredirBench();
  const { ports, problems, configure } = importFrom(bench);
  configure(ports[0]);
  for (let round = 0; round < 3; round++) {
    const { port, client } = ports[round];
    for (let slot = 1; slot <= 20; slot++) port.transfer(slot, 0x81, new Uint8Array(64), 0, 64);
    port.reset();
    assert.equal(port.transfer(21, 0x81, new Uint8Array(64), 0, 64), UsbSubmit.gone);
    bench.settle();
    assert.equal(client.detachments, 1);
    assert.ok(
      client.completions.filter(({ slot }) => slot > 0).every(({ status }) => status === UsbStatus.gone),
    );
    assert.equal(ports.length, round + 2);
    configure(ports[round + 1]);
  }
  assert.deepEqual(problems, []);
  assert.equal(bench.outlet.hasGuest, true);
});

test("a device that leaves and comes back is a new port on the same connection; a host that vanishes is asked again", () => {
  const bench = new UsbredirBench();
  const { ports, problems, connections, configure } = importFrom(bench, 1_000_000_000);
  configure(ports[0]);
  ports[0].port.transfer(1, 0x81, new Uint8Array(64), 0, 64);
  bench.settle();
  bench.bus.unplug(bench.connector);
  bench.settle();
  assert.deepEqual(ports[0].client.of(1), [{ slot: 1, status: UsbStatus.gone, bytes: 0 }]);
  assert.deepEqual(problems, ["the device left"]);
  bench.bus.plugIn(bench.device, bench.connector);
  bench.settle();
  assert.equal(ports.length, 2);
  assert.equal(connections.length, 1);
  configure(ports[1]);
  bench.outlet.close();
  bench.settle();
  assert.equal(ports[1].client.detachments, 1);
  assert.equal(ports[1].port.control(0, getConfiguration, new Uint8Array(255), 0), UsbSubmit.gone);
  bench.pass(2_000_000_000);
  assert.equal(connections.length, 2);
  assert.equal(ports.length, 3);
  configure(ports[2]);
});

/** A host that is the test: hello and a full-speed device, then whatever is sent. */
class LyingHost implements ByteStream {
  client: ByteStreamClient | null = null;
  isClosed = false;
  connect(client: ByteStreamClient): void {
    this.client = client;
  }
  write(): boolean {
    return true;
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.isClosed = true;
  }
  say(message: UsbredirMessage, id = 0): void {
    this.client?.received(encodeUsbredir(message, id, 0));
  }
}

const device: UsbredirMessage = {
  kind: "deviceConnect",
  speed: 1,
  deviceClass: 0xff,
  subclass: 0,
  protocol: 0,
  vendor: 0x1209,
  product: 2,
  deviceVersion: 0,
};
const answer = { kind: "controlPacket", endpoint: 0x80, request: 6, requestType: 0x80, status: 0 } as const;

function meetLiar() {
  const clock = new VirtualClock();
  const host = new LyingHost();
  const problems: string[] = [];
  const client = new RecordingClient();
  const ports: UsbHostPort[] = [];
  new UsbredirImporter({
    clock,
    connect: () => host,
    onAttach: (port) => {
      port.connect(client);
      ports.push(port);
    },
    onProblem: (reason) => problems.push(reason),
  });
  return { clock, host, problems, client, ports };
}

test("a host that lies is let go, and what was pending ends with gone", () => {
  const lies: [string, UsbredirMessage, number, RegExp][] = [
    [
      "an answer to nothing",
      { ...answer, value: 0, index: 0, length: 0, data: new Uint8Array(0) },
      9,
      /packet 9 was never asked/,
    ],
    [
      "too many bytes",
      { ...answer, value: 0, index: 0, length: 256, data: new Uint8Array(256) },
      1,
      /256 bytes for a buffer of 255/,
    ],
    [
      "an answer of another kind",
      { kind: "configurationStatus", status: 0, configuration: 1 },
      1,
      /does not answer packet 1/,
    ],
    ["a second device", device, 0, /a second device/],
    ["a guest's packet", { kind: "reset" }, 0, /reset is not for a host/],
    ["a second hello", { kind: "hello", version: "", capabilities: 0 }, 0, /hello out of turn/],
  ];
  for (const [lie, message, id, expected] of lies) {
    const { host, problems, client, ports } = meetLiar();
    host.say({ kind: "hello", version: "liar", capabilities: 0 });
    host.say(device);
    assert.equal(ports.length, 1);
    ports[0].control(0, getConfiguration, new Uint8Array(255), 0);
    host.say(message, id);
    assert.equal(host.isClosed, true, lie);
    assert.match(problems.join(), expected, lie);
    assert.deepEqual(client.of(0), [{ slot: 0, status: UsbStatus.gone, bytes: 0 }], lie);
    assert.equal(client.detachments, 1, lie);
  }
});

test("a host that says nothing, or answers no cancellation, is given up", () => {
  const silent = meetLiar();
  silent.clock.runUntil(11_000_000_000);
  assert.deepEqual(silent.problems, ["the host says no hello"]);
  const mute = meetLiar();
  mute.host.say({ kind: "hello", version: "mute", capabilities: 0 });
  mute.host.say(device);
  mute.ports[0].control(0, getConfiguration, new Uint8Array(255), 0);
  mute.ports[0].cancel(0);
  mute.clock.runUntil(mute.clock.nowNs() + 11_000_000_000);
  assert.deepEqual(mute.problems, ["the host does not answer"]);
  assert.equal(mute.client.of(0)[0].status, UsbStatus.gone);
});

/** Interface 0 with an isochronous IN of 64 bytes, as the device says it on endpoint 0. */
function configureLiar({ client, host, ports }: ReturnType<typeof meetLiar>): UsbHostPort {
  host.say({ kind: "hello", version: "liar", capabilities: 0 });
  host.say(device);
  const [port] = ports;
  const data = encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    [
      {
        ...{ bInterfaceNumber: 0, bInterfaceClass: 0xff, bInterfaceSubClass: 0, bInterfaceProtocol: 0 },
        endpoints: [{ bEndpointAddress: 0x84, bmAttributes: 1, wMaxPacketSize: 64, bInterval: 1 }],
      },
    ],
  );
  port.control(0, getConfiguration, new Uint8Array(255), 0);
  host.say({ ...answer, value: 0x200, index: 0, length: data.length, data }, 1);
  port.control(0, setConfiguration, null, 0);
  host.say({ kind: "configurationStatus", status: 0, configuration: 1 }, 2);
  assert.equal(client.of(0).length, 2);
  return port;
}

test("a host's isochronous packets: too long, with an error, before its word, after none waits, of an OUT", () => {
  const liar = meetLiar();
  const port = configureLiar(liar);
  const { client, clock, host } = liar;
  const push = (length: number, status = 0, endpoint = 0x84): void =>
    host.say({ kind: "isoPacket", endpoint, status, length, data: new Uint8Array(length).fill(length) }, 7);
  const packets = newUsbPackets([64, 32, 64]);
  const buffer = new Uint8Array(160);
  assert.equal(port.isochronous(1, 0x84, buffer, 0, packets), UsbSubmit.accepted);
  // Of an earlier time, as the start is not answered.
  push(9);
  host.say({ kind: "isoStreamStatus", status: 0, endpoint: 0x84 });
  push(64);
  push(64);
  assert.equal(client.of(1).length, 0);
  push(5, UsbredirStatus.ioError);
  assert.deepEqual(client.of(1), [{ slot: 1, status: UsbStatus.ok, bytes: 96 }]);
  assert.deepEqual([...packets.actualBytes], [64, 32, 0]);
  const { damaged, ok, overflow } = UsbPacketStatus;
  assert.deepEqual([...packets.statuses], [ok, overflow, damaged]);
  assert.equal(buffer[96], 0);
  // Nobody waits: they are lost, however many, and nothing is kept.
  for (let count = 0; count < 100_000; count++) push(64);
  assert.equal(host.isClosed, false);
  // It stops by itself: what waits has missed its intervals.
  const more = newUsbPackets([64, 64]);
  port.isochronous(2, 0x84, buffer, 0, more);
  host.say({ kind: "isoStreamStatus", status: 0, endpoint: 0x84 });
  host.say({ kind: "isoStreamStatus", status: 0, endpoint: 0x84 });
  push(3);
  host.say({ kind: "isoStreamStatus", status: UsbredirStatus.stall, endpoint: 0x84 });
  assert.deepEqual(client.of(2), [{ slot: 2, status: UsbStatus.ok, bytes: 3 }]);
  assert.equal(more.statuses[1], UsbPacketStatus.missed);
  // Words about a stream that nobody has, and a transfer that is pending when the host goes.
  host.say({ kind: "isoStreamStatus", status: 0, endpoint: 0x05 });
  port.isochronous(3, 0x84, buffer, 0, newUsbPackets([64]));
  push(0, 0, 0x04);
  assert.match(liar.problems.join(), /an isochronous packet of an OUT/);
  assert.deepEqual(client.of(3), [{ slot: 3, status: UsbStatus.gone, bytes: 0 }]);
  clock.runUntil();
  assert.equal(client.detachments, 1);
});
