// Mutations for each reader of signing evidence: facts, or a DecodeError with its place; never anything else.
//
// DRYDOCK_FUZZ=1000000 npm run test:unit -- fuzz.long runs a million for each reader.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "@drydock/core/base/errors";
import { Random } from "@drydock/core/base/random";
import { encodeDerEntitlements, encodeDerProfile } from "@drydock/core/codec/der/der-entitlements";
import { encodeMachO } from "@drydock/core/codec/macho/encode";
import { decodeMachO } from "@drydock/core/codec/macho/macho";
import { defaultLimits } from "../facts/evidence-source.ts";
import { plist } from "../test/samples.ts";
import { driverClaims, sampleProfile, sha256, usbKey } from "../test/signed-samples.ts";
import { parseBinaryPlist } from "./plist-binary.ts";
import { profileReader } from "./profile-file.ts";
import { binaryPlistReader, plistReader } from "./property-list.ts";
import { type BinaryReader, type FactSink, TextDocument } from "./reader.ts";
import { machOReader, signatureReader } from "./signed-code.ts";

/** Counts what it is given and keeps nothing. */
class CountingSink implements FactSink {
  readonly limits = defaultLimits;
  facts = 0;
  add(): void {
    this.facts++;
  }
  problem(): void {}
  kind(): void {}
  claimLines(): void {}
  nestedText(): void {}
  nestedFile(): void {}
  secret(): void {}
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const xml = utf8(plist({ [usbKey]: [{ idVendor: 1356 }] }));
const macho = encodeMachO({
  platform: 10,
  minimumOS: "24.0",
  sdk: "24.4",
  dylibs: ["/S/DriverKit.framework/DriverKit"],
  imports: [{ symbol: "__ZN9IOService4initEv", dylib: 0 }],
  signature: {
    identifier: "org.example.driver",
    teamIdentifier: "TEAM123456",
    entitlementsXml: xml,
    entitlementsDer: encodeDerEntitlements({ a: true }),
    flags: 2,
    sha256,
  },
});

/** Two slices of one file behind a fat header. */
function fat(slice: Uint8Array): Uint8Array {
  const start = 64;
  const bytes = new Uint8Array(start + slice.length * 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xcafebabe);
  view.setUint32(4, 2);
  for (const index of [0, 1]) {
    const entry = 8 + index * 20;
    view.setUint32(entry, 0x100000c);
    view.setUint32(entry + 8, start + index * slice.length);
    view.setUint32(entry + 12, slice.length);
    bytes.set(slice, start + index * slice.length);
  }
  return bytes;
}

const at = decodeMachO(macho)[0].signature as { offset: number; size: number };
const signature = macho.slice(at.offset, at.offset + at.size);
const binaryList = Uint8Array.from([
  ...utf8("bplist00"),
  ...[0xd1, 1, 2, 0x51, 0x61, 0xa1, 3, 9, 8, 11, 13, 15],
  ...[0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16],
]);
const bareProfile = encodeDerProfile({ Name: "x", Version: 1, Entitlements: { a: [{ b: "*" }] } });

const rounds = Number(process.env.DRYDOCK_FUZZ ?? 100_000);

function mutated(seed: Uint8Array, random: Random): Uint8Array {
  const copy = seed.slice(0, random.chance(0.1) ? random.between(1, seed.length) : seed.length);
  for (let change = random.between(1, 5); change > 0; change--)
    copy[random.below(copy.length)] = random.chance(0.3) ? 0xff : random.below(256);
  return copy;
}

function fuzz(reader: BinaryReader, seeds: readonly Uint8Array[]): void {
  const random = new Random(reader.kind.length);
  const sink = new CountingSink();
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = mutated(seeds[round % seeds.length], random);
    try {
      reader.recognise(bytes.subarray(0, 4096));
      reader.read({ name: "x", bytes }, sink);
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 1000 && sink.facts > 1000, `refused ${refused}, facts ${sink.facts}`);
}

const rows: readonly [BinaryReader, readonly Uint8Array[]][] = [
  [machOReader, [macho, fat(macho)]],
  [signatureReader, [signature, encodeDerEntitlements({ a: [{ b: 5 }] })]],
  [profileReader, [sampleProfile("org.example.driver", driverClaims), bareProfile]],
  [binaryPlistReader, [binaryList]],
];
for (const [reader, seeds] of rows)
  test(`${rounds} mutated inputs of the reader of ${reader.kind}`, () => fuzz(reader, seeds));

test(`${rounds} mutated XML property lists`, () => {
  const random = new Random(3);
  const sink = new CountingSink();
  for (let round = 0; round < rounds; round++) {
    const text = String.fromCharCode(...mutated(xml, random));
    plistReader.read(new TextDocument("x", text), sink);
  }
  assert.ok(sink.facts > 1000);
});

test("a binary list's date is the day that an XML list would have", () => {
  const seconds = 809_913_600;
  const bytes = new Uint8Array(8 + 9 + 1 + 32);
  bytes.set(utf8("bplist00"));
  const view = new DataView(bytes.buffer);
  bytes[8] = 0x33;
  view.setFloat64(9, seconds);
  bytes[17] = 8;
  bytes.set([1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17], 18 + 6);
  const expected = new Date((seconds + 978_307_200) * 1000).toISOString().replace(".000", "");
  assert.equal(parseBinaryPlist(bytes), expected);
});
