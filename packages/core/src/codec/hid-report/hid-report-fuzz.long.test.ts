// Hostile report descriptors: parsed within bounds, or refused with an offset inside.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { hatSwitch, pad, specKeyboard, specMouse } from "./golden-descriptors.ts";
import { compileReportDescriptor } from "./report-compiler.ts";
import {
  parseReportDescriptor,
  type ReportDescriptor,
  reportBytesMaximum,
  usageAt,
} from "./report-descriptor.ts";

test("1 000 000 mutated descriptors are parsed within bounds or refused with an offset inside", () => {
  const random = new Random(20_261_124);
  const seeds = [specKeyboard, specMouse, hatSwitch, compileReportDescriptor([pad])];
  const outcomes = { parsed: 0, refused: 0 };
  for (let round = 0; round < 1_000_000; round++) {
    const bytes = mutate(seeds[round & 3], random);
    try {
      checkBounds(parseReportDescriptor(bytes), bytes.length);
      outcomes.parsed++;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      assert.ok(error.offset >= 0 && error.offset <= bytes.length, error.message);
      outcomes.refused++;
    }
  }
  assert.ok(outcomes.parsed > 100_000 && outcomes.refused > 100_000, JSON.stringify(outcomes));
});

/** One to four changes: a bit, a byte, a cut, an item that says much, or a piece twice. */
function mutate(seed: Uint8Array, random: Random): Uint8Array {
  let bytes = seed.slice();
  for (let change = random.between(1, 4); change > 0; change--) {
    const at = random.below(Math.max(1, bytes.length));
    switch (random.below(5)) {
      case 0:
        if (bytes.length > 0) bytes[at] ^= 1 << random.below(8);
        break;
      case 1:
        if (bytes.length > 0) bytes[at] = random.below(256);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3: {
        const huge = [0x97, 0x77, 0x2b, 0x1b, 0xa7, 0xb4, 0xa4, 0xa9][random.below(8)];
        bytes = Uint8Array.of(...bytes.subarray(0, at), huge, 0xff, 0xff, 0xff, 0x7f, ...bytes.subarray(at));
        break;
      }
      case 4:
        bytes = Uint8Array.of(...bytes, ...bytes.subarray(at, at + 20));
        break;
    }
  }
  return bytes;
}

function checkBounds(parsed: ReportDescriptor, length: number): void {
  assert.ok(parsed.fields.length <= length / 2 && parsed.collections.length <= length);
  let ranges = 0;
  for (const field of parsed.fields) {
    ranges += field.usages.length;
    assert.ok(field.bitOffset + field.reportSize * field.reportCount <= reportBytesMaximum * 8);
    usageAt(field, field.reportCount - 1);
  }
  assert.ok(ranges <= length);
}
