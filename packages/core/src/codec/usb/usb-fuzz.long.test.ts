// A million mutated descriptors and SETUP packets: each is read, or refused with an offset inside it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex } from "../../base/text.ts";
import { describeCdcRequest } from "../cdc/cdc.ts";
import { describeFtdiRequest } from "../ftdi/ftdi.ts";
import {
  encodeBos,
  encodeStringDescriptor,
  parseBos,
  parseConfiguration,
  parseDeviceDescriptor,
  parseStringDescriptor,
  usb2Extension,
  walkDescriptors,
} from "./descriptors.ts";
import { decodeSetup, describeSetup } from "./setup.ts";

const rounds = 1_000_000;

const device = bytesFromHex("12 01 00 02 00 00 00 08 03 04 01 60 00 06 01 02 03 01");
const configuration = bytesFromHex(`
  09 02 43 00 02 01 00 80 32 09 04 00 00 01 02 02 01 00 05 24 00 10 01 05 24 01 00 01 04 24 02 02 05 24 06 00 01
  07 05 83 03 08 00 10 09 04 01 00 02 0a 00 00 00 07 05 01 02 40 00 00 07 05 82 02 40 00 00`);
const walk = (bytes: Uint8Array): void => {
  let previousEnd = 0;
  for (const raw of walkDescriptors(bytes)) {
    assert.equal(raw.offset, previousEnd);
    previousEnd += raw.bytes.length;
  }
  assert.ok(previousEnd <= bytes.length);
};
const setup = (bytes: Uint8Array): void => {
  assert.ok(describeSetup(decodeSetup(bytes), [describeCdcRequest, describeFtdiRequest]).length < 120);
};

const targets: readonly { readonly seed: Uint8Array; read(bytes: Uint8Array): unknown }[] = [
  { seed: device, read: parseDeviceDescriptor },
  { seed: configuration, read: parseConfiguration },
  { seed: configuration, read: walk },
  { seed: encodeStringDescriptor("Drydock 0001"), read: parseStringDescriptor },
  { seed: encodeBos([usb2Extension(true), usb2Extension(false)]), read: parseBos },
  { seed: bytesFromHex("80 06 00 02 00 00 ff 00"), read: setup },
];

/** Flips, replaces, cuts, grows, or splices; now and then nothing of the seed is left. */
function mutate(seed: Uint8Array, random: Random): Uint8Array {
  let bytes = seed.slice();
  for (let change = random.between(1, 4); change > 0; change--) {
    const at = bytes.length === 0 ? 0 : random.below(bytes.length);
    switch (random.below(6)) {
      case 0:
        if (bytes.length > 0) bytes[at] ^= 1 << random.below(8);
        break;
      case 1:
        if (bytes.length > 0) bytes[at] = random.below(256);
        break;
      case 2:
        if (bytes.length > 0) bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff][random.below(6)];
        break;
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4: {
        const grown = new Uint8Array(bytes.length + random.below(20));
        grown.set(bytes);
        bytes = grown;
        break;
      }
      default:
        bytes.copyWithin(at, random.below(bytes.length + 1));
        break;
    }
  }
  return bytes;
}

test("1000000 mutated descriptors and SETUP packets: read, or refused with an offset inside", () => {
  const random = new Random(0x05b);
  const heapBefore = process.memoryUsage().heapUsed;
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const target = targets[round % targets.length];
    const bytes = mutate(target.seed, random);
    try {
      target.read(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      if (!(error.offset >= 0 && error.offset <= bytes.length)) {
        assert.fail(`offset ${error.offset} of ${bytes.length} bytes: ${error.message}`);
      }
      refused++;
    }
  }
  // Both ways out were taken, often; and nothing was kept.
  assert.ok(refused > rounds / 10 && refused < rounds * 0.9, `${refused} refused`);
  assert.ok(process.memoryUsage().heapUsed - heapBefore < 200e6, "the readers keep what they read");
});
