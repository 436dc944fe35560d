// Isochronous transfers over USB/IP with tables that lie, at the server's side and at the client's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { getU32be, putU32be } from "../base/bytes.ts";
import {
  encodeImportRequest,
  newUsbipHeader,
  readUsbipHeader,
  UsbipCommand,
  UsbipErrno,
  usbipHeaderBytes,
  usbipIsoPacketBytes,
  usbipOpHeaderBytes,
  writeUsbipHeader,
} from "../codec/usbip/usbip.ts";
import { encodeUsbipPackets, type UsbipPacket } from "../codec/usbip/usbip-packets.ts";
import { audioEndpoints, audioInterfaces } from "../devices/usb-audio/usb-audio-model.ts";
import type { ByteStream } from "../ports/byte-stream.ts";
import { newUsbPackets, type UsbHostPort, UsbStatus, UsbSubmit } from "../ports/usb-host.ts";
import { UsbipImporter } from "../transports/usbip/usbip-importer.ts";
import { memoryStreamPair } from "./memory-stream.ts";
import { makeHeadset } from "./usb-audio-rig.ts";
import { UsbExportRig } from "./usb-export-rig.ts";

/** 48 frames of stereo, 16 bits. */
const packetBytes = 192;
const configure = Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0);
const setInterface = (number: number) => Uint8Array.of(1, 11, 1, 0, number, 0, 0, 0);
const readConfiguration = Uint8Array.of(0x80, 6, 0, 2, 0, 0, 0, 4);

/** Two headsets behind one server: 1-1 for those who lie, 1-2 for somebody else. */
async function exported() {
  const heard: string[] = [];
  const rig = new UsbExportRig({
    ...{ seed: 1, turn: hostTurn, timing: "none", trace: false },
    onEvent: (text) => heard.push(text),
  });
  const headsets = [1, 2].map((connector) => {
    const headset = makeHeadset(1, { clock: rig.scheduler });
    rig.usb.bus.plugIn(headset, connector);
    return headset;
  });
  await rig.scheduler.run(1e9);
  return { rig, headsets, heard };
}

/** A client that writes what it likes. */
async function rawClient({ rig }: Awaited<ReturnType<typeof exported>>, connector: number) {
  const [near, far] = memoryStreamPair({ clock: rig.scheduler });
  rig.server.accept(far);
  const state = { bytes: new Uint8Array(0), isClosed: false };
  near.connect({
    received: (part) => {
      state.bytes = Uint8Array.from([...state.bytes, ...part]);
    },
    drained: () => {},
    closed: () => {
      state.isClosed = true;
    },
  });
  near.write(encodeImportRequest(`1-${connector}`));
  let sequence = 0;
  const send = (
    fields: Partial<ReturnType<typeof newUsbipHeader>>,
    setup: Uint8Array | null,
    rest: Uint8Array,
  ) => {
    const bytes = new Uint8Array(usbipHeaderBytes + rest.length);
    const header = { ...newUsbipHeader(), deviceId, command: UsbipCommand.submit, sequence: ++sequence };
    writeUsbipHeader(bytes, 0, { ...header, ...fields }, setup);
    bytes.set(rest, usbipHeaderBytes);
    near.write(bytes);
  };
  const run = () => rig.scheduler.run(rig.scheduler.nowNs() + 1e9);
  await run();
  // Behind the reply's header, where the record has them.
  const record = usbipOpHeaderBytes;
  const deviceId = (getU32be(state.bytes, record + 288) << 16) | getU32be(state.bytes, record + 292);
  for (const setup of [configure, setInterface(audioInterfaces.speaker)]) send({}, setup, new Uint8Array(0));
  await run();
  state.bytes = new Uint8Array(0);
  return {
    state,
    /** Speaker packets as the rows say, in a buffer of `length`. Answers the reply's status, null when there is none. */
    play: async (rows: readonly UsbipPacket[], length: number, count = rows.length, endpoint = 1) => {
      const rest = new Uint8Array(length + rows.length * usbipIsoPacketBytes);
      encodeUsbipPackets(rows, rest, length);
      send({ endpoint, length, isoPackets: count, interval: 1 }, null, rest);
      await run();
      if (state.bytes.length === 0) return null;
      const reply = newUsbipHeader();
      readUsbipHeader(state.bytes, 0, reply);
      state.bytes = new Uint8Array(0);
      return reply.word20 | 0;
    },
  };
}

const row = (offset: number, length: number, actualBytes = 0): UsbipPacket => ({
  ...{ offset, length, actualBytes },
  status: 0,
});
const good = [row(0, packetBytes), row(packetBytes, packetBytes)];

const lyingTables: readonly (readonly [string, readonly UsbipPacket[], number, number?])[] = [
  ["a packet that begins behind the buffer", [row(385, 1)], 384],
  ["a packet that ends behind the buffer", [row(0, 192), row(193, 192)], 384],
  ["an offset that wraps round", [row(0xffff_ff80, 192)], 384],
  ["more moved than there is", [row(0, 10, 11)], 384],
  ["1025 packets", [row(0, 1)], 384, 1025],
];
for (const [what, rows, length, count] of lyingTables)
  test(`a client's packet table with ${what}: it is let go by name, and somebody else plays on`, async () => {
    const server = await exported();
    const liar = await rawClient(server, 1);
    const other = await rawClient(server, 2);
    assert.equal(await liar.play(good, 384), UsbipErrno.ok);
    assert.equal(await liar.play(rows, length, count), null);
    assert.equal(liar.state.isClosed, true);
    assert.match(server.heard.join("\n"), /was let go: .*packet/);
    assert.equal(await other.play(good, 384), UsbipErrno.ok);
    assert.equal(server.headsets[1].counters.bytes, 384);
  });

test("packets that a client may ask for and an endpoint does not take are refused, and the next are played", async () => {
  const server = await exported();
  const client = await rawClient(server, 1);
  // Longer than the endpoint allows; of an endpoint that is not there, is no isochronous one, or is endpoint 0.
  assert.equal(await client.play([row(0, 1024)], 1024), UsbipErrno.invalid);
  assert.equal(await client.play(good, 384, 2, 9), UsbipErrno.noEntry);
  assert.equal(await client.play(good, 384, 2, 0), UsbipErrno.noEntry);
  // Packets that lie over each other are the client's own affair, and so is a hole between two.
  assert.equal(await client.play([row(0, 192), row(0, 192)], 192), UsbipErrno.ok);
  assert.equal(await client.play([row(384, 4), row(0, 192)], 400), UsbipErrno.ok);
  assert.equal(client.state.isClosed, false);
  assert.equal(server.headsets[0].counters.bytes, 384 + 196);
  assert.equal(server.headsets[0].counters.packets, 4);
});

/** Our client on our server, with somebody between who changes each isochronous reply. */
async function lyingServer(lie: (reply: Uint8Array) => Uint8Array) {
  const server = await exported();
  const { rig } = server;
  const ports: UsbHostPort[] = [];
  const importer = new UsbipImporter({
    clock: rig.scheduler,
    busId: "1-1",
    connect: () => {
      const [near, far] = memoryStreamPair({ clock: rig.scheduler });
      const isReply = (bytes: Uint8Array) =>
        bytes.length >= usbipHeaderBytes &&
        getU32be(bytes, 0) === UsbipCommand.returnSubmit &&
        getU32be(bytes, 32) > 0;
      const between: ByteStream = {
        connect: (client) => far.connect(client),
        write: (bytes, owner) => (isReply(bytes) ? far.write(lie(bytes.slice())) : far.write(bytes, owner)),
        pause: () => far.pause(),
        resume: () => far.resume(),
        close: () => far.close(),
      };
      rig.server.accept(between);
      return near;
    },
    onAttach: (port) => ports.push(port),
    retryNs: 60e9,
  });
  const run = () => rig.scheduler.run(rig.scheduler.nowNs() + 1e9);
  await run();
  const [port] = ports;
  const ended: (readonly [slot: number, status: UsbStatus])[] = [];
  let detached = 0;
  port.connect({
    completed: (slot, status) => ended.push([slot, status]),
    detached: () => {
      detached++;
    },
  });
  const setups = [
    readConfiguration,
    configure,
    setInterface(audioInterfaces.speaker),
    setInterface(audioInterfaces.microphone),
  ];
  for (const setup of setups) {
    assert.equal(port.control(0, setup, new Uint8Array(1024), 0), UsbSubmit.accepted);
    await run();
  }
  ended.length = 0;
  return { port, run, ended, importer, detached: () => detached };
}

const tableAt = (reply: Uint8Array, count: number): number => reply.length - count * usbipIsoPacketBytes;
const lyingReplies: readonly (readonly [string, (reply: Uint8Array, isIn: boolean) => void])[] = [
  ["one packet fewer than were asked for", (reply) => putU32be(reply, 32, 3)],
  ["a million packets", (reply) => putU32be(reply, 32, 1_000_000)],
  [
    "a packet longer than was asked for",
    (reply) => {
      const at = tableAt(reply, 4);
      putU32be(reply, at + 4, 4000);
      putU32be(reply, at + 8, 4000);
    },
  ],
  ["more moved than the packet has", (reply) => putU32be(reply, tableAt(reply, 4) + 8, 0xffff_ffff)],
  ["more data than the buffer", (reply) => putU32be(reply, 24, 70_000)],
];
for (const [what, lie] of lyingReplies)
  for (const isIn of [false, true])
    test(`a server's answer to an isochronous ${isIn ? "IN" : "OUT"} with ${what}: the device is gone, each transfer ends once`, async () => {
      const bench = await lyingServer((reply) => {
        lie(reply, isIn);
        return reply;
      });
      const endpoint = isIn ? audioEndpoints.microphone : audioEndpoints.speaker;
      const buffer = new Uint8Array(4 * packetBytes + 8).fill(0xee);
      const packets = newUsbPackets([1, 1, 1, 1].map((one) => one * packetBytes));
      for (const slot of [1, 2])
        assert.equal(bench.port.isochronous(slot, endpoint, buffer, 4, packets), UsbSubmit.accepted);
      await bench.run();
      assert.deepEqual(bench.ended, [
        [1, UsbStatus.gone],
        [2, UsbStatus.gone],
      ]);
      assert.equal(bench.detached(), 1);
      // What lies round the packets is nobody's.
      assert.deepEqual([...buffer.subarray(0, 4), ...buffer.subarray(-4)], new Array(8).fill(0xee));
      bench.importer.stop();
    });
