// AX88772: headers, the pad word, the receive stream cut at every place, EEPROM images, names of commands.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { decodeSetup } from "../usb/setup.ts";
import { axChips, describeAxRequest, encodeAxInterrupt, viewAxLink } from "./ax88772.ts";
import { axEepromAddress, axEepromChecksum, axEepromImage } from "./ax88772-eeprom.ts";
import {
  AxReceiveAssembler,
  type AxReceiveLayout,
  axFlaggedLayout,
  axNewLayout,
  axPlainLayout,
  axTransferBytes,
  putAxHeader,
  putAxTransfer,
  readAxTransmit,
} from "./ax88772-framing.ts";

const frameOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (seed * 17 + index * 3) & 0xff);

/** Units one after the other, as a chip makes them. */
function streamOf(frames: readonly Uint8Array[], { alignment, headerBytes }: AxReceiveLayout): Uint8Array {
  const parts: number[] = [];
  for (const frame of frames) {
    const header = new Uint8Array(headerBytes);
    putAxHeader(header, 0, frame.length);
    parts.push(...header, ...frame);
    while (parts.length % alignment !== 0) parts.push(0);
  }
  return Uint8Array.from(parts);
}

function assembled(layout: AxReceiveLayout, transfers: readonly Uint8Array[]) {
  const frames: Uint8Array[] = [];
  const assembler = new AxReceiveAssembler(layout, (bytes, offset, length) =>
    frames.push(bytes.slice(offset, offset + length)),
  );
  for (const transfer of transfers) assembler.push(transfer, transfer.length);
  return { frames, assembler };
}

test("a frame of 508 bytes gets the pad word, its neighbours do not (as Linux sends them)", () => {
  assert.deepEqual(
    [507, 508, 509, 510, 1020, 60].map((length) => axTransferBytes(length, 512)),
    [511, 516, 513, 514, 1028, 64],
  );
  const into = new Uint8Array(600);
  assert.equal(putAxTransfer(into, frameOf(508, 1), 0, 508, 512), 516);
  assert.equal(hexBytes(into.subarray(0, 4)), "fc 01 03 fe");
  assert.equal(hexBytes(into.subarray(512, 516)), "00 00 ff ff");
  assert.equal(putAxTransfer(into, frameOf(60, 1), 0, 60, 64), 68, "at full speed a packet has 64 bytes");
});

test("a chip reads several frames of a transfer, passes over the pad word, and refuses the rest behind a wrong header", () => {
  const bytes = streamOf([frameOf(61, 1), frameOf(60, 2)], axPlainLayout);
  const seen: string[] = [];
  const read = (all: Uint8Array, mask = 0xffff) => {
    seen.length = 0;
    readAxTransmit(all, all.length, mask, {
      frame: (_bytes, offset, length, flags) => seen.push(`${offset}+${length}/${flags}`),
      badHeader: (offset) => seen.push(`bad ${offset}`),
    });
    return seen.join(" ");
  };
  assert.equal(read(bytes), "4+61/0 70+60/0");
  assert.equal(read(Uint8Array.of(...bytes, 0, 0, 0xff, 0xff)), "4+61/0 70+60/0");
  assert.equal(
    read(bytesFromHex("3c80 c3ff".concat("00".repeat(60))), 0x7ff),
    "4+60/16",
    "flags above the length",
  );
  assert.equal(read(bytes.subarray(0, 80)), "4+61/0 bad 66", "longer than what came");
  assert.equal(read(bytesFromHex("0000 fffe 3c00 c3ff")), "bad 0");
});

for (const [name, layout] of Object.entries({ axPlainLayout, axFlaggedLayout, axNewLayout })) {
  test(`${name}: the stream gives the same frames wherever its transfers are cut`, () => {
    const frames = [60, 61, 1514, 14, 300].map(frameOf);
    const stream = streamOf(frames, layout);
    for (let cut = 2; cut < stream.length; cut += layout.alignment) {
      const { assembler, frames: out } = assembled(layout, [stream.subarray(0, cut), stream.subarray(cut)]);
      assert.deepEqual(out, frames, `cut at ${cut}`);
      assert.deepEqual([assembler.badHeaders, assembler.lostBytes], [0, 0]);
    }
    for (const size of [1, 2, 3, 4, 6, 64, 333]) {
      const transfers: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size) transfers.push(stream.subarray(at, at + size));
      assert.deepEqual(assembled(layout, transfers).frames, frames, `pieces of ${size}`);
    }
  });
}

test("padding that a transfer leaves out at its end is not missed", () => {
  const [first, second] = [frameOf(61, 1), frameOf(60, 2)];
  const stream = streamOf([first, second], axPlainLayout);
  const { assembler, frames } = assembled(axPlainLayout, [stream.subarray(0, 65), stream.subarray(66)]);
  assert.deepEqual(frames, [first, second]);
  assert.equal(assembler.badHeaders, 0);
});

test("flags above the length: the 772B's are passed over, a driver of the 772A would lose the frame", () => {
  const stream = streamOf([frameOf(60, 1)], axFlaggedLayout);
  stream[1] |= 0x80;
  assert.equal(assembled(axFlaggedLayout, [stream]).frames.length, 1);
  const plain = assembled(axPlainLayout, [stream]);
  assert.deepEqual([plain.frames.length, plain.assembler.badHeaders], [0, 1]);
});

test("behind a wrong header the next frame is found, whichever half of the header is wrong", () => {
  const frames = [60, 200, 61, 90].map(frameOf);
  for (const at of [0, 1, 2, 3]) {
    const stream = streamOf(frames, axFlaggedLayout);
    stream[64 + at] ^= 0x41;
    const { assembler, frames: out } = assembled(axFlaggedLayout, [stream]);
    assert.deepEqual(out, [frames[0], frames[2], frames[3]], `byte ${at} of the second header`);
    assert.equal(assembler.badHeaders, 1);
  }
});

test("a transfer that is missing costs the frames that were in it, and the one that it cut", () => {
  const frames = Array.from({ length: 30 }, (_, index) => frameOf(700 + index, index));
  const stream = streamOf(frames, axPlainLayout);
  const transfers: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += 2048) transfers.push(stream.subarray(at, at + 2048));
  transfers.splice(3, 1);
  const { frames: out } = assembled(axPlainLayout, transfers);
  for (const frame of out)
    assert.ok(frames.some((sent) => Buffer.compare(sent, frame) === 0) || out.indexOf(frame) === 8);
  assert.ok(out.length >= frames.length - 5, `${out.length} of ${frames.length}`);
});

test("rubbish gives no frame that no header vouched for, and ends", () => {
  const random = new Random(5);
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: random.below(2048) }, () => random.below(256));
    const { assembler, frames } = assembled(axFlaggedLayout, [bytes, bytes]);
    assert.ok(assembler.lostBytes >= 0);
    for (const frame of frames) assert.ok(frame.length >= 14 && frame.length <= 1518);
  }
  // Headers of no length, one after the other: a storm.
  const storm = new Uint8Array(16_384).map((_, index) => ((index & 2) !== 0 ? 0xff : 0));
  assert.deepEqual(assembled(axPlainLayout, [storm, storm]).frames, []);
});

test("EEPROM images: the checksum of the vendor's, and the address where it lies", () => {
  const address = Uint8Array.of(0x00, 0x0e, 0xc6, 0x81, 0x79, 0x01);
  for (const chip of Object.values(axChips)) {
    const words = axEepromImage(chip, address);
    assert.equal(axEepromChecksum(words), 0xc0, chip.name);
    assert.deepEqual(axEepromAddress(words), address);
    assert.equal(words[4], 0x0e00);
  }
});

test("the interrupt packet says whether there is a link", () => {
  assert.equal(hexBytes(encodeAxInterrupt(1, 0x782d, 0x45e1)), "a1 00 01 00 2d 78 e1 45");
  assert.equal(viewAxLink(encodeAxInterrupt(1, 0, 0), 8), true);
  assert.equal(viewAxLink(encodeAxInterrupt(2, 0, 0), 8), false, "the secondary PHY");
  assert.equal(viewAxLink(Uint8Array.of(0xa1, 0), 2), null);
});

test("commands have names in traces; requests of others have none", () => {
  const say = (setup: string) => describeAxRequest(decodeSetup(bytesFromHex(setup)));
  assert.equal(say("c0 07 10 00 01 00 02 00"), "AX READ_MII phy 10 register 1");
  assert.equal(say("40 10 88 00 00 00 00 00"), "AX WRITE_RX_CONTROL 0088");
  assert.equal(say("40 2a 00 80 01 80 00 00"), "AX WRITE_BURST 8000 8001");
  assert.equal(say("c0 0b 04 00 00 00 02 00"), "AX READ_EEPROM word 04");
  assert.equal(say("40 0c 04 00 01 02 00 00"), "AX WRITE_EEPROM word 04 = 0201");
  assert.equal(say("c1 07 10 00 01 00 02 00"), null);
  assert.equal(say("40 7f 00 00 00 00 00 00"), null);
});
