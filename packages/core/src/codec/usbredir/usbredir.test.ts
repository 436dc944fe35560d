// usbredir packets: bytes of the format and of QEMU, both layouts of each, hostile bytes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { packetsOf, qemuSession } from "./qemu-session.ts";
import {
  readUsbredirHeader,
  UsbredirCapability,
  type UsbredirId,
  usbredirEndpointAddress,
  usbredirEndpointIndex,
} from "./usbredir.ts";
import {
  checkUsbredirHeader,
  decodeUsbredir,
  encodeUsbredir,
  type UsbredirMessage,
} from "./usbredir-messages.ts";

const everything = 0xff;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"));

function decode(
  bytes: Uint8Array,
  capabilities: number,
  sender: "guest" | "host" = "guest",
): { message: UsbredirMessage; id: UsbredirId } {
  const header = { type: 0, length: 0, id: 0 as UsbredirId };
  readUsbredirHeader(bytes, 0, capabilities, header);
  const kind = checkUsbredirHeader(header, capabilities);
  return { message: decodeUsbredir(kind, header, bytes, 0, capabilities, sender), id: header.id };
}

/** Bytes by hand from the layouts of linux-guest.md §6; each decodes to its message and encodes to its bytes. */
const golden: [string, number, "guest" | "host", UsbredirId, UsbredirMessage][] = [
  [
    `01000000 0a000000 00000000  02 ff 01 02 0304 0160 0006`,
    UsbredirCapability.deviceVersion,
    "host",
    0,
    {
      kind: "deviceConnect",
      speed: 2,
      deviceClass: 0xff,
      subclass: 1,
      protocol: 2,
      vendor: 0x0403,
      product: 0x6001,
      deviceVersion: 0x0600,
    },
  ],
  [
    `01000000 08000000 00000000  01 02 00 00 0304 0160`,
    0,
    "host",
    0,
    {
      kind: "deviceConnect",
      speed: 1,
      deviceClass: 2,
      subclass: 0,
      protocol: 0,
      vendor: 0x0403,
      product: 0x6001,
      deviceVersion: 0,
    },
  ],
  [`02000000 00000000 00000000`, 0, "host", 0, { kind: "deviceDisconnect" }],
  [
    `03000000 00000000 0700000001000000`,
    UsbredirCapability.wideIds,
    "guest",
    0x1_0000_0007,
    { kind: "reset" },
  ],
  [`06000000 01000000 05000000 02`, 0, "guest", 5, { kind: "setConfiguration", configuration: 2 }],
  [
    `08000000 02000000 05000000 0402`,
    0,
    "host",
    5,
    { kind: "configurationStatus", status: 4, configuration: 2 },
  ],
  [`09000000 02000000 06000000 0301`, 0, "guest", 6, { kind: "setAlternate", interface: 3, alternate: 1 }],
  [
    `0b000000 03000000 06000000 000301`,
    0,
    "host",
    6,
    { kind: "alternateStatus", status: 0, interface: 3, alternate: 1 },
  ],
  [`0f000000 01000000 00000000 83`, 0, "guest", 0, { kind: "startInterruptReceiving", endpoint: 0x83 }],
  [
    `11000000 02000000 00000000 0483`,
    0,
    "host",
    0,
    { kind: "interruptReceivingStatus", status: 4, endpoint: 0x83 },
  ],
  [
    `12000000 08000000 00000000 04000a00 20000000`,
    0,
    "guest",
    0,
    { kind: "allocBulkStreams", endpoints: 0x000a_0004, streams: 32 },
  ],
  [
    `14000000 09000000 00000000 04000a00 20000000 00`,
    0,
    "host",
    0,
    { kind: "bulkStreamsStatus", endpoints: 0x000a_0004, streams: 32, status: 0 },
  ],
  [
    `15000000 00000000 efbeaddeffffffff`,
    UsbredirCapability.wideIds,
    "guest",
    0xffff_ffff_dead_beefn,
    { kind: "cancelDataPacket" },
  ],
  [`17000000 07000000 00000000 3078 3033 2c31 00`, 0, "guest", 0, { kind: "filterFilter", rules: "0x03,1" }],
  [
    `64000000 0c000000 09000000  80 06 80 00 0001 0000 0200 1201`,
    0,
    "host",
    9,
    {
      kind: "controlPacket",
      endpoint: 0x80,
      request: 6,
      requestType: 0x80,
      status: 0,
      value: 0x0100,
      index: 0,
      length: 2,
      data: Uint8Array.of(0x12, 1),
    },
  ],
  [
    `65000000 0a000000 09000000  02 00 0200 01000000 abcd`,
    0,
    "guest",
    9,
    { kind: "bulkPacket", endpoint: 2, status: 0, length: 2, stream: 1, data: Uint8Array.of(0xab, 0xcd) },
  ],
  [
    `65000000 0a000000 09000000  81 00 0000 01000000 0100`,
    UsbredirCapability.longBulk,
    "guest",
    9,
    { kind: "bulkPacket", endpoint: 0x81, status: 0, length: 0x10000, stream: 1, data: new Uint8Array(0) },
  ],
  [
    `67000000 05000000 01000000  83 00 0100 5a`,
    0,
    "host",
    1,
    { kind: "interruptPacket", endpoint: 0x83, status: 0, length: 1, data: Uint8Array.of(0x5a) },
  ],
  [
    `68000000 0b000000 01000000  00000000 01000000 81 00 5a`,
    0,
    "host",
    1,
    {
      kind: "bufferedBulkPacket",
      stream: 0,
      length: 1,
      endpoint: 0x81,
      status: 0,
      data: Uint8Array.of(0x5a),
    },
  ],
  [
    `0c000000 03000000 00000000 810804`,
    0,
    "guest",
    0,
    { kind: "startIsoStream", endpoint: 0x81, packetsPerTransfer: 8, transfers: 4 },
  ],
  [
    `19000000 0a000000 00000000 02000000 00020000 81 04`,
    0,
    "guest",
    0,
    { kind: "startBulkReceiving", stream: 2, bytesPerTransfer: 512, endpoint: 0x81, transfers: 4 },
  ],
];

for (const [text, capabilities, sender, id, message] of golden) {
  test(`${message.kind}, capabilities ${capabilities}: bytes to value and back`, () => {
    const bytes = bytesOf(text);
    const found = decode(bytes, capabilities, sender);
    assert.deepEqual(JSON.stringify(found.message), JSON.stringify(message));
    assert.equal(found.id, id);
    assert.equal(hex(encodeUsbredir(message, id, capabilities)), hex(bytes));
  });
}

test("a hello has the small header, 64 bytes of text and its capabilities", () => {
  const bytes = encodeUsbredir({ kind: "hello", version: "drydock", capabilities: 0x7b }, 0, everything);
  assert.equal(bytes.length, 12 + 64 + 4);
  assert.equal(hex(bytes.subarray(0, 20)), "000000004400000000000000647279646f636b00");
  assert.equal(hex(bytes.subarray(76)), "7b000000");
  assert.deepEqual(decode(bytes, 0).message, { kind: "hello", version: "drydock", capabilities: 0x7b });
  const bare = bytes.slice(0, 76);
  bare[4] = 64;
  assert.deepEqual(decode(bare, 0).message, { kind: "hello", version: "drydock", capabilities: 0 });
});

test("interfaceInfo is 132 bytes: a count and four columns of 32", () => {
  const message: UsbredirMessage = {
    kind: "interfaceInfo",
    interfaces: [
      { number: 0, interfaceClass: 2, subclass: 2, protocol: 1 },
      { number: 1, interfaceClass: 10, subclass: 0, protocol: 0 },
    ],
  };
  const bytes = encodeUsbredir(message, 0, 0);
  assert.equal(bytes.length - 12, 132);
  assert.equal(hex(bytes.subarray(12, 18)), "020000000001");
  assert.equal(hex(bytes.subarray(12 + 4 + 32, 12 + 4 + 34)), "020a");
  assert.deepEqual(decode(bytes, 0, "host").message, message);
});

test("endpointInfo is 96, 160, 224 or 288 bytes, as the capabilities say", () => {
  const endpoints = new Array(32).fill(null);
  endpoints[usbredirEndpointIndex(0x81)] = {
    type: 2,
    interval: 0,
    interface: 1,
    packetBytes: 1024,
    streams: 16,
  };
  const message: UsbredirMessage = { kind: "endpointInfo", endpoints };
  const { packetSizes, bulkStreams } = UsbredirCapability;
  const sizes = [0, packetSizes, bulkStreams, packetSizes | bulkStreams].map((capabilities) => {
    const bytes = encodeUsbredir(message, 0, capabilities);
    const { message: back } = decode(bytes, capabilities, "host");
    assert.ok(back.kind === "endpointInfo");
    const endpoint = back.endpoints[17];
    assert.equal(endpoint?.packetBytes, (capabilities & packetSizes) !== 0 ? 1024 : 0);
    assert.equal(endpoint?.streams, (capabilities & bulkStreams) !== 0 ? 16 : 0);
    assert.equal(back.endpoints.filter((entry) => entry !== null).length, 1);
    assert.equal(bytes[12], 255, "no endpoint 0 OUT");
    return bytes.length - 12;
  });
  assert.deepEqual(sizes, [96, 160, 224, 288]);
});

test("endpoints are numbered with INs from 16 on", () => {
  assert.deepEqual([0x00, 0x02, 0x80, 0x81, 0x8f].map(usbredirEndpointIndex), [0, 2, 16, 17, 31]);
  assert.deepEqual([0, 2, 16, 17, 31].map(usbredirEndpointAddress), [0x00, 0x02, 0x80, 0x81, 0x8f]);
});

test("every packet of QEMU's decodes, and encodes to QEMU's bytes", () => {
  const kinds = new Map<string, number>();
  for (const { bytes, capabilities } of packetsOf(qemuSession, everything)) {
    const { message, id } = decode(bytes, capabilities);
    kinds.set(message.kind, (kinds.get(message.kind) ?? 0) + 1);
    assert.equal(hex(encodeUsbredir(message, id, capabilities)), hex(bytes));
  }
  assert.deepEqual(Object.fromEntries(kinds), {
    hello: 1,
    reset: 6,
    controlPacket: 21,
    setConfiguration: 1,
    startInterruptReceiving: 2,
    bulkPacket: 34,
    stopInterruptReceiving: 2,
    cancelDataPacket: 32,
  });
});

test("lengths that a packet cannot have are refused before the body comes, with the offset", () => {
  const refuse = (text: string, capabilities: number, expected: RegExp, offset: number) => {
    assert.throws(
      () => decode(bytesOf(text), capabilities),
      (error: unknown) =>
        error instanceof DecodeError && expected.test(error.message) && error.offset === offset,
    );
  };
  refuse("2a000000 00000000 00000000", 0, /type 42 is unknown/, 0);
  refuse("03000000 01000000 00000000 00", 0, /reset: length 1, expected 0/, 4);
  refuse("05000000 a0000000 00000000", everything, /endpointInfo: length 160, expected 288/, 4);
  refuse("65000000 ffffffff 00000000", 0, /length 4294967295, expected 8 to/, 4);
  refuse("64000000 0a000000 00000000 00 09 00 00 0100 0000 0200", 0, /0 bytes of data, expected 2/, 20);
  refuse("64000000 0c000000 00000000 80 06 80 00 0001 0000 0200 1201", 0, /2 bytes of data, expected 0/, 20);
  refuse("17000000 01000000 00000000 41", 0, /do not end with NUL/, 12);
  refuse(`00000000 42000000 00000000 ${"00".repeat(66)}`, 0, /no whole number of words/, 78);
  refuse(`04000000 84000000 00000000 21000000 ${"00".repeat(128)}`, 0, /33 interfaces/, 12);
  refuse(`05000000 60000000 00000000 07 ${"00".repeat(95)}`, 0, /endpoint type 7/, 12);
});

test("mutated packets decode or throw a DecodeError, nothing else", () => {
  const random = new Random(7);
  const packets = [...packetsOf(qemuSession, everything)];
  let refused = 0;
  for (let round = 0; round < 50_000; round++) {
    const { bytes, capabilities } = packets[random.below(packets.length)];
    const mutated = bytes.slice();
    for (let count = 1 + random.below(3); count > 0; count--) {
      mutated[random.below(mutated.length)] = random.below(256);
    }
    try {
      decode(mutated, random.below(2) === 0 ? capabilities : random.below(256), "guest");
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 1000);
});
