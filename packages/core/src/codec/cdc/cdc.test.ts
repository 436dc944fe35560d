// CDC ACM bytes: golden ones of PSTN 1.2 and of posts.md P02, hostile ones, split notifications.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { type RawDescriptor, walkDescriptors } from "../usb/descriptors.ts";
import { decodeSetup } from "../usb/setup.ts";
import {
  AcmCapability,
  decodeLineCoding,
  describeCdcRequest,
  encodeAcmFunction,
  encodeLineCoding,
  encodeSerialState,
  type LineCoding,
  lineCodingProblem,
  parseAcmFunction,
  SerialStateAssembler,
  SerialStateBit,
} from "./cdc.ts";

const lawful: LineCoding = { dwDTERate: 115200, bCharFormat: 0, bParityType: 0, bDataBits: 8 };
const describe = (setup: string, data?: Uint8Array) =>
  describeCdcRequest(decodeSetup(bytesFromHex(setup)), data);

test("115200 8N1 is 00 C2 01 00 00 00 08 both ways (posts.md P02 AC2)", () => {
  assert.equal(hexBytes(encodeLineCoding(lawful)), "00 c2 01 00 00 00 08");
  assert.deepEqual(decodeLineCoding(bytesFromHex("00 c2 01 00 00 00 08")), lawful);
  assert.deepEqual(decodeLineCoding(bytesFromHex("ff ff ff ff 02 04 10")), {
    dwDTERate: 0xffffffff,
    bCharFormat: 2,
    bParityType: 4,
    bDataBits: 16,
  });
});

test("a cut line coding is a DecodeError at the end of what came", () => {
  for (let length = 0; length < 7; length++) {
    assert.throws(
      () => decodeLineCoding(new Uint8Array(length)),
      (error: unknown) => error instanceof DecodeError && error.offset === length,
    );
  }
});

test("what PSTN table 17 does not allow has a reason; what it allows has none", () => {
  assert.equal(lineCodingProblem(lawful), null);
  for (const bDataBits of [5, 6, 7, 8, 16]) assert.equal(lineCodingProblem({ ...lawful, bDataBits }), null);
  assert.match(lineCodingProblem({ ...lawful, dwDTERate: 0 }) ?? "", /rate/);
  assert.match(lineCodingProblem({ ...lawful, bCharFormat: 3 }) ?? "", /bCharFormat 3/);
  assert.match(lineCodingProblem({ ...lawful, bParityType: 0xff }) ?? "", /bParityType 255/);
  for (const bDataBits of [0, 4, 9, 15, 17]) {
    assert.match(lineCodingProblem({ ...lawful, bDataBits }) ?? "", /bDataBits/);
  }
});

test("the functional descriptors of an ACM function are these bytes, and are read back", () => {
  const descriptors = encodeAcmFunction(AcmCapability.lineCoding | AcmCapability.sendBreak, 2, 3);
  assert.deepEqual(
    descriptors.map((bytes) => hexBytes(bytes)),
    ["05 24 00 10 01", "05 24 01 00 03", "04 24 02 06", "05 24 06 02 03"],
  );
  const all = Uint8Array.from(descriptors.flatMap((bytes) => [...bytes]));
  assert.deepEqual(parseAcmFunction([...walkDescriptors(all)]), { capabilities: 6, dataInterface: 3 });
});

test("missing functional descriptors are null; cut ones a DecodeError behind their end", () => {
  const raw = (bytes: string): RawDescriptor => {
    const content = bytesFromHex(bytes);
    return { type: content[1], bytes: content, offset: 40 };
  };
  assert.deepEqual(parseAcmFunction([]), { capabilities: null, dataInterface: null });
  assert.deepEqual(parseAcmFunction([raw("05 24 0f 01 02"), raw("02 24"), raw("04 25 02 06")]), {
    capabilities: null,
    dataInterface: null,
  });
  for (const [bytes, offset] of [
    ["03 24 02", 43],
    ["04 24 06 00", 44],
  ] as const) {
    assert.throws(
      () => parseAcmFunction([raw(bytes)]),
      (error: unknown) => error instanceof DecodeError && error.offset === offset,
    );
  }
});

test("SERIAL_STATE is ten bytes and survives any split", () => {
  const bytes = encodeSerialState(1, SerialStateBit.dcd | SerialStateBit.overrun);
  assert.equal(hexBytes(bytes), "a1 20 00 00 01 00 02 00 41 00");
  const pair = Uint8Array.from([...bytes, ...encodeSerialState(1, SerialStateBit.ring)]);
  for (let size = 1; size <= pair.length; size++) {
    const assembler = new SerialStateAssembler();
    const states: number[] = [];
    for (let at = 0; at < pair.length; at += size) {
      const part = pair.subarray(at, at + size);
      states.push(...assembler.push(part, part.length));
    }
    assert.deepEqual(states, [0x41, 0x08], `packets of ${size}`);
  }
});

test("other notifications are passed over, and rubbish is skipped until one begins", () => {
  const assembler = new SerialStateAssembler();
  const connection = bytesFromHex("a1 00 01 00 00 00 00 00");
  assert.deepEqual(assembler.push(connection, connection.length), []);
  const monstrous = bytesFromHex("a1 20 00 00 00 00 ff ff");
  assert.deepEqual(assembler.push(monstrous, monstrous.length), []);
  const rubbish = new Uint8Array(1000).fill(0x5a);
  assert.deepEqual(assembler.push(rubbish, rubbish.length), []);
  const good = encodeSerialState(0, SerialStateBit.dsr);
  assert.deepEqual(assembler.push(good, good.length), [SerialStateBit.dsr]);
});

test("requests are named for traces, with the coding when it is known", () => {
  assert.equal(describe("21 20 00 00 00 00 07 00"), "SET_LINE_CODING interface 0");
  const coding = encodeLineCoding({ dwDTERate: 9600, bCharFormat: 2, bParityType: 2, bDataBits: 7 });
  assert.equal(describe("21 20 00 00 00 00 07 00", coding), "SET_LINE_CODING interface 0: 9600 7E2");
  assert.equal(describe("21 20 00 00 00 00 07 00", new Uint8Array(7)), "SET_LINE_CODING interface 0: 0 0N1");
  assert.equal(describe("a1 21 00 00 01 00 07 00", new Uint8Array(3)), "GET_LINE_CODING interface 1");
  const wild = encodeLineCoding({ dwDTERate: 300, bCharFormat: 0xff, bParityType: 0xff, bDataBits: 8 });
  assert.equal(describe("a1 21 00 00 01 00 07 00", wild), "GET_LINE_CODING interface 1: 300 8??");
  assert.equal(describe("21 22 03 00 00 00 00 00"), "SET_CONTROL_LINE_STATE DTR on RTS on");
  assert.equal(describe("21 22 00 00 00 00 00 00"), "SET_CONTROL_LINE_STATE DTR off RTS off");
  assert.equal(describe("21 23 ff ff 00 00 00 00"), "SEND_BREAK on");
  assert.equal(describe("21 23 00 00 00 00 00 00"), "SEND_BREAK off");
  assert.equal(describe("21 23 fa 00 00 00 00 00"), "SEND_BREAK 250 ms");
  assert.equal(describe("21 ff 00 00 00 00 00 00"), null);
  assert.equal(describe("41 20 00 00 00 00 07 00"), null, "a vendor request is not CDC's");
});
