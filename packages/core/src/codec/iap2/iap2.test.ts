// iAP2's packets and messages against vectors seen on a wire, and two links against each other over a bad line.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { millisecond, second } from "../../base/units.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  decodeControlMessage,
  encodeControlMessage,
  encodeIdentification,
  Iap2Message,
  judgeIdentification,
} from "./control-message.ts";
import { Iap2Link, type Iap2LinkOwner } from "./iap2-link.ts";
import {
  decodeSynchronisation,
  encodeIap2Packet,
  encodeSynchronisation,
  findIap2Packet,
  type Iap2LinkParameters,
} from "./link-packet.ts";

test("a SYN as an accessory sent it: header, payload and both checksums", () => {
  const payload = bytesFromHex("01 05 10 00 04 0b 00 17 03 03 0a 00 01 0b 02 01");
  const packet = encodeIap2Packet({ control: 0x80, sequence: 0x2b, acknowledge: 0, sessionId: 0, payload });
  assert.equal(hexBytes(packet.subarray(0, 9), 99), "ff 5a 00 1a 80 2b 00 00 e2");
  assert.deepEqual(decodeSynchronisation(payload), {
    maximumOutstanding: 5,
    maximumPacketBytes: 4096,
    retransmissionTimeoutMs: 1035,
    acknowledgeTimeoutMs: 23,
    maximumRetransmissions: 3,
    maximumCumulativeAcknowledges: 3,
    sessions: [
      { id: 10, type: 0, version: 1 },
      { id: 11, type: 2, version: 1 },
    ],
  });
  assert.deepEqual(encodeSynchronisation(decodeSynchronisation(payload)), payload);
  const found = findIap2Packet(packet);
  assert.ok(found.kind === "packet");
  assert.deepEqual([found.bytes, found.packet.sequence], [26, 0x2b]);
});

test("another implementation's exchange: SYN with its payload, and the bare ACK", () => {
  const syn = bytesFromHex("ff 5a 00 1a 80 63 00 00 aa 01 04 ff ff 0f a0 01 f4 04 03 0a 00 01 0b 02 01 39");
  const found = findIap2Packet(syn);
  assert.ok(found.kind === "packet");
  assert.equal(found.packet.control, 0x80);
  const { maximumOutstanding, maximumPacketBytes, sessions } = decodeSynchronisation(found.packet.payload);
  assert.deepEqual([maximumOutstanding, maximumPacketBytes, sessions.length], [4, 65535, 2]);
  const ack = encodeIap2Packet({
    control: 0x40,
    sequence: 0x63,
    acknowledge: 0x14,
    sessionId: 0,
    payload: new Uint8Array(0),
  });
  assert.equal(hexBytes(ack, 99), "ff 5a 00 09 40 63 14 00 e7");
});

test("one bit changed anywhere is noise or another packet's header, never accepted with its payload", () => {
  const packet = encodeIap2Packet({
    control: 0x40,
    sequence: 7,
    acknowledge: 3,
    sessionId: 11,
    payload: bytesFromHex("00 01 68 65 6c 6c 6f"),
  });
  for (let bit = 0; bit < packet.length * 8; bit++) {
    const damaged = packet.slice();
    damaged[bit >> 3] ^= 1 << (bit & 7);
    assert.notEqual(findIap2Packet(damaged).kind, "packet", `bit ${bit}`);
  }
  for (let length = 0; length < packet.length; length++)
    assert.equal(findIap2Packet(packet.subarray(0, length)).kind, "incomplete");
});

test("control messages: there and back; lengths that lie are refused at their place", () => {
  const identification = {
    name: "Gauge",
    modelNumber: "G1",
    manufacturer: "Drydock",
    serialNumber: "1",
    firmwareRevision: "1.0",
    hardwareRevision: "A",
    maximumCurrentMa: 100,
    protocols: [
      { id: 1, name: "org.drydock.control", matchAction: 1 },
      { id: 2, name: "org.drydock.data", matchAction: 0 },
    ],
  };
  const bytes = encodeControlMessage(encodeIdentification(identification));
  const { message, parameters } = decodeControlMessage(bytes);
  assert.equal(message, Iap2Message.identification);
  assert.deepEqual(judgeIdentification(parameters), identification);
  assert.deepEqual(judgeIdentification(parameters.filter(({ id }) => id !== 2 && id !== 9)), {
    offending: [2, 9],
  });
  const twice = [...parameters, parameters[parameters.length - 1]];
  assert.deepEqual(judgeIdentification(twice), { offending: [10] });
  for (const length of [0, 5, bytes.length - 1])
    assert.throws(() => decodeControlMessage(bytes.subarray(0, length)), DecodeError);
  const longer = bytes.slice();
  longer[7] = 0xff;
  assert.throws(() => decodeControlMessage(longer), DecodeError);
});

const parameters = (outstanding: number): Iap2LinkParameters => ({
  maximumOutstanding: outstanding,
  maximumPacketBytes: 256,
  retransmissionTimeoutMs: 200,
  acknowledgeTimeoutMs: 20,
  maximumRetransmissions: 20,
  maximumCumulativeAcknowledges: 3,
  sessions: [{ id: 11, type: 2, version: 1 }],
});

/** Two ends and a line that cuts, delays and, with `lossOf` in 256, loses packets. */
function pair(seed: number, lossOf: number) {
  const clock = new VirtualClock();
  const random = new Random(seed);
  const ends = { accessory: [] as string[], device: [] as string[] };
  const heard = { accessory: [] as number[], device: [] as number[] };
  const backlog: (() => void)[] = [];
  const lines = { accessory: [] as Uint8Array[], device: [] as Uint8Array[] };
  const owner = (self: "accessory" | "device", other: () => Iap2Link): Iap2LinkOwner => ({
    send: (bytes) => {
      if (random.next32() % 256 < lossOf) return;
      const cut = random.next32() % bytes.length;
      lines[self].push(bytes.subarray(0, cut), bytes.subarray(cut));
      for (const _ of [0, 1])
        clock.after(millisecond, () => other().take(lines[self].shift() ?? new Uint8Array(0)), undefined);
    },
    established: () => ends[self].push("established"),
    received: (_session, payload) => heard[self].push(...payload),
    writable: () => {
      for (const go of backlog.splice(0)) go();
    },
    dead: (reason) => ends[self].push(`dead: ${reason}`),
  });
  const device: Iap2Link = new Iap2Link(
    { clock, role: "device", parameters: parameters(4), firstSequence: 250 },
    owner("device", () => accessory),
  );
  const accessory: Iap2Link = new Iap2Link(
    { clock, role: "accessory", parameters: parameters(9), firstSequence: 99 },
    owner("accessory", () => device),
  );
  return { clock, accessory, device, ends, heard, backlog };
}

test("two ends agree on the smaller window, and every byte comes once and in order, 40 seeds of a line that loses", () => {
  for (let seed = 0; seed < 40; seed++) {
    const { accessory, backlog, clock, device, ends, heard } = pair(seed, seed % 2 === 0 ? 0 : 40);
    device.start();
    accessory.start();
    clock.runUntil(clock.nowNs() + 20 * second);
    assert.deepEqual(ends, { accessory: ["established"], device: ["established"] }, `seed ${seed}`);
    assert.deepEqual([accessory.parameters.maximumOutstanding, device.parameters.maximumOutstanding], [4, 4]);
    let next = 0;
    const total = 600;
    const push = (): void => {
      while (next < total) {
        if (!accessory.send(11, Uint8Array.of(next & 0xff, next >> 8))) {
          backlog.push(push);
          return;
        }
        next++;
      }
    };
    push();
    clock.runUntil(clock.nowNs() + 4000 * second);
    assert.equal(heard.device.length, total * 2, `seed ${seed}: ${ends.accessory} ${ends.device}`);
    for (let index = 0; index < total; index++)
      assert.equal(heard.device[2 * index] | (heard.device[2 * index + 1] << 8), index);
  }
});

test("nobody there: the detection is given up; a packet that is never acknowledged ends the link", () => {
  const { accessory, clock, ends } = pair(1, 256);
  accessory.start();
  clock.runUntil(clock.nowNs() + 100 * second);
  assert.match(ends.accessory[0], /nobody answers the detection/);
  const other = pair(2, 0);
  other.device.start();
  other.accessory.start();
  other.clock.runUntil(other.clock.nowNs() + 5 * second);
  other.device.close();
  assert.ok(other.accessory.send(11, Uint8Array.of(1)));
  other.clock.runUntil(other.clock.nowNs() + 100 * second);
  assert.match(other.ends.accessory[1], /packet 100 was sent 21 times and never acknowledged/);
});

test("a million bytes of anything: no exception, bounded memory, and a good packet behind them is heard", () => {
  const { accessory, clock, device, heard } = pair(3, 0);
  device.start();
  accessory.start();
  clock.runUntil(clock.nowNs() + 5 * second);
  const random = new Random(9);
  for (let block = 0; block < 250; block++) {
    const bytes = new Uint8Array(4000).map(() => (random.next32() % 5 === 0 ? 0xff : random.next32()));
    device.take(bytes);
  }
  // Whatever looked like a beginning ends in here.
  device.take(new Uint8Array(70_000));
  assert.ok(accessory.send(11, bytesFromHex("aa bb")));
  clock.runUntil(clock.nowNs() + 5 * second);
  assert.deepEqual(heard.device, [0xaa, 0xbb]);
});
