// Telnet and its serial option: bytes of RFC 854, 855, 856 and 2217, cut at every place, and modem states.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ComPort, comPortServer, modemStateByte, modemStateChange } from "./com-port.ts";
import {
  encodeNegotiation,
  encodeSubnegotiation,
  escapeTelnetData,
  Telnet,
  TelnetOption,
  TelnetReader,
} from "./telnet.ts";

type Event = readonly [kind: string, ...values: (number | readonly number[])[]];

/** What the pieces meant; data of one piece after another are one event. */
function read(pieces: readonly (readonly number[])[], isBinary = true): Event[] {
  const events: Event[] = [];
  let data: number[] = [];
  const tell = (...event: Event): void => {
    if (data.length > 0) events.push(["data", data]);
    data = [];
    if (event[0] !== "end") events.push(event);
  };
  const reader = new TelnetReader({
    data: (bytes) => data.push(...bytes),
    negotiation: (command, option) => tell("negotiation", command, option),
    subnegotiation: (option, content) => tell("subnegotiation", option, [...content]),
    command: (command) => tell("command", command),
  });
  reader.isBinary = isBinary;
  for (const piece of pieces) reader.push(Uint8Array.from(piece));
  tell("end");
  return events;
}

// RFC 854, "TELNET COMMAND STRUCTURE": IAC is 255, doubled in data. RFC 2217 §3: option 44, SET-BAUDRATE with four bytes.
const session = [
  ...[0x61, 255, 255, 0x62], // a, FFh, b
  ...[255, 253, 0], // DO BINARY
  ...[255, 251, 44], // WILL COM-PORT-OPTION
  ...[255, 250, 44, 1, 0, 0, 0x25, 0x80, 255, 240], // 9600 Bd
  ...[255, 250, 44, 1, 0, 0, 255, 255, 0, 255, 240], // an FFh inside, doubled
  ...[255, 243, 0x63], // BREAK, c
];
const meaning: readonly Event[] = [
  ["data", [0x61, 255, 0x62]],
  ["negotiation", 253, 0],
  ["negotiation", 251, 44],
  ["subnegotiation", 44, [1, 0, 0, 0x25, 0x80]],
  ["subnegotiation", 44, [1, 0, 0, 255, 0]],
  ["command", 243],
  ["data", [0x63]],
];

test("commands, options, subnegotiations and data, whole and cut at every place", () => {
  assert.deepEqual(read([session]), meaning);
  for (let at = 1; at < session.length; at++)
    assert.deepEqual(read([session.slice(0, at), session.slice(at)]), meaning, `cut at ${at}`);
  assert.deepEqual(read(session.map((byte) => [byte])), meaning);
});

test("WILL, WONT, DO and DONT are the four that take an option; what lies below is a command of two bytes", () => {
  for (const command of [251, 252, 253, 254])
    assert.deepEqual(read([[255, command, 3]]), [["negotiation", command, 3]]);
  for (const command of [241, 243, 246, 249])
    assert.deepEqual(read([[255, command, 3]]), [
      ["command", command],
      ["data", [3]],
    ]);
});

test("a subnegotiation that nobody ends: the command behind it counts, its content is dropped", () => {
  assert.deepEqual(read([[255, 250, 44, 1, 2, 255, 253, 0, 0x61]]), [
    ["negotiation", 253, 0],
    ["data", [0x61]],
  ]);
  // And the next one begins with nothing of it.
  assert.deepEqual(read([[255, 250, 44, 1, 255, 243, 255, 250, 1, 9, 255, 240]]), [
    ["command", 243],
    ["subnegotiation", 1, [9]],
  ]);
});

test("a subnegotiation is kept up to 1,024 bytes, and its end is found behind them", () => {
  for (const length of [1023, 1024, 1025, 5000]) {
    const content = Array.from({ length }, (_, index) => index % 200);
    const [event, after] = read([[255, 250, 44, ...content, 255, 240, 0x61]]);
    assert.deepEqual(event, ["subnegotiation", 44, content.slice(0, 1024)]);
    assert.deepEqual(after, ["data", [0x61]]);
  }
});

test("CR NUL is CR until the other side sends binary, also across two pieces; another NUL is data", () => {
  const bytes = [0x61, 13, 0, 0x62, 13, 10, 0];
  const text: Event[] = [["data", [0x61, 13, 0x62, 13, 10, 0]]];
  assert.deepEqual(read([bytes], false), text);
  assert.deepEqual(read([bytes.slice(0, 2), bytes.slice(2)], false), text);
  assert.deepEqual(read([bytes], true), [["data", bytes]]);
  // A second NUL behind CR NUL is one that was sent.
  assert.deepEqual(read([[13, 0, 0]], false), [["data", [13, 0]]]);
});

test("data are handed over as they lie, in as few pieces as there are escapes, and never empty", () => {
  const pieces: number[] = [];
  const reader = new TelnetReader({
    data: (bytes) => pieces.push(bytes.length),
    negotiation: () => assert.fail("nothing is negotiated"),
    subnegotiation: () => assert.fail("nothing is negotiated"),
    command: () => assert.fail("nothing is commanded"),
  });
  reader.push(new Uint8Array(0));
  reader.push(Uint8Array.of(1, 2, 3));
  reader.push(Uint8Array.of(255, 255));
  reader.push(Uint8Array.of(4, 5, 255, 255, 6));
  assert.deepEqual(pieces, [3, 1, 2, 1, 1]);
});

test("for the wire: FFh twice, CR NUL unless binary; a reader has back what was sent", () => {
  const data = Uint8Array.of(1, 255, 13, 255, 0, 13);
  assert.deepEqual([...escapeTelnetData(data, true)], [1, 255, 255, 13, 255, 255, 0, 13]);
  assert.deepEqual([...escapeTelnetData(data, false)], [1, 255, 255, 13, 0, 255, 255, 0, 13, 0]);
  for (const isBinary of [true, false])
    assert.deepEqual(read([[...escapeTelnetData(data, isBinary)]], isBinary), [["data", [...data]]]);
  const plain = Uint8Array.of(1, 2);
  const escaped = escapeTelnetData(plain, false);
  plain[0] = 9;
  assert.deepEqual([...escaped], [1, 2], "a copy, whatever becomes of what it was made of");
});

test("negotiations and subnegotiations are written as RFC 855 and RFC 2217 show them", () => {
  assert.deepEqual([...encodeNegotiation(Telnet.will, TelnetOption.comPort)], [255, 251, 44]);
  assert.deepEqual(
    [...encodeSubnegotiation(TelnetOption.comPort, Uint8Array.of(ComPort.setBaudRate, 0, 0, 0xff, 0x0d))],
    [255, 250, 44, 1, 0, 0, 255, 255, 13, 255, 240],
  );
  // The server answers each command with its number plus 100: 101 is its SET-BAUDRATE.
  assert.equal(comPortServer + ComPort.setBaudRate, 101);
});

// RFC 2217 §3.7: 128 carrier detect, 64 ring, 32 data set ready, 16 clear to send; 8, 4, 2, 1 the changes.
test("modem lines lie in the upper half of a state, a bit each", () => {
  const none = { cts: false, dsr: false, ri: false, dcd: false };
  assert.equal(modemStateByte(none), 0);
  assert.equal(modemStateByte({ ...none, dcd: true }), 128);
  assert.equal(modemStateByte({ ...none, ri: true }), 64);
  assert.equal(modemStateByte({ ...none, dsr: true }), 32);
  assert.equal(modemStateByte({ ...none, cts: true }), 16);
  assert.equal(modemStateByte({ cts: true, dsr: true, ri: true, dcd: true }), 240);
});

test("what has changed lies in the lower half, either way; of the ring only its end", () => {
  for (const [line, delta] of [
    [128, 8],
    [32, 2],
    [16, 1],
  ]) {
    assert.equal(modemStateChange(line, 0), line | delta);
    assert.equal(modemStateChange(0, line), delta);
    assert.equal(modemStateChange(line, line), line);
  }
  assert.equal(modemStateChange(64, 0), 64, "a ring that begins is no change");
  assert.equal(modemStateChange(0, 64), 4);
  assert.equal(modemStateChange(64, 64), 64);
  assert.equal(modemStateChange(0x30, 0xc0), 0x30 | 0x0f);
  // Deltas of the state before are not lines.
  assert.equal(modemStateChange(0x10, 0x1f), 0x10);
});
