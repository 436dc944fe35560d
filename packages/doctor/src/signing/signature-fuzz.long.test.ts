// Mutated CMS, code signatures and signed bundles, read and verified: an end each time, never a false "fits".
//
// npm run endurance -- signatures runs a million.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sameBytes } from "@drydock/core/base/bytes";
import { DecodeError } from "@drydock/core/base/errors";
import { Random } from "@drydock/core/base/random";
import { encodeUtf8 } from "@drydock/core/base/text";
import { decodeCodeSignature } from "@drydock/core/codec/code-signature/code-signature";
import { decodeMachO } from "@drydock/core/codec/macho/macho";
import type { BundleFile } from "@drydock/core/platform/evidence/signed-bundle";
import { signatureCrypto } from "@drydock/node/signature-crypto";
import { brokenPoints, checkPackage } from "../check.ts";
import { sourceOfBytes } from "../facts/evidence-source.ts";
import { OwnAuthorities, opensslSkip, requirementFor } from "../test/own-authorities.ts";
import { sampleDext, sampleDextId, sealOf } from "../test/signed-samples.ts";
import { verifyCms } from "./cms-chain.ts";

const inputs = Number(process.env.DRYDOCK_SIGNATURES ?? 20_000);
/** Of all inputs: CMS, code signatures, whole bundles (which are a thousand times as dear). */
const [cmsInputs, blobInputs, bundleInputs] = [0.5, 0.499, 0.001].map((share) => Math.round(inputs * share));
/** A mutated input may claim any size; none is believed. Bytes. */
const mostGrowth = 192 << 20;
const skip = opensslSkip;

let authorities: OwnAuthorities | null = null;
let files: readonly BundleFile[] = [];
let executable = "";
let signature: Uint8Array = new Uint8Array(0);
before(() => {
  if (skip !== false) return;
  const own = new OwnAuthorities(["Own"]);
  authorities = own;
  const resource = encodeUtf8("first");
  files = sampleDext({
    profile: null,
    seal: sealOf({ "Resources/a.txt": resource }),
    designated: requirementFor(sampleDextId),
    cms: { reservedBytes: 8192, sign: (directory) => own.sign("Own", directory) },
  });
  const root = files[0].name.slice(0, files[0].name.lastIndexOf("/"));
  files = [...files, { name: `${root}/Resources/a.txt`, bytes: resource }];
  const code = files.find(({ name }) => /\.dext\/[^/]*driver$/.test(name));
  const place = code === undefined ? null : decodeMachO(code.bytes)[0].signature;
  if (code === undefined || place == null) throw new Error("the sample has no signature");
  executable = code.name;
  signature = code.bytes.slice(place.offset, place.offset + place.size);
});
after(() => authorities?.remove());
const roots = (): Uint8Array[] => (authorities === null ? [] : [authorities.root("Own")]);

/** Bytes that change, numbers that explode, ends that are cut, pieces that are doubled. Never the same as before. */
function mutated(seed: Uint8Array, random: Random): Uint8Array {
  for (;;) {
    const bytes = changedOnce(seed, random);
    // Two changes of one byte may take each other back.
    if (!sameBytes(bytes, seed)) return bytes;
  }
}

function changedOnce(seed: Uint8Array, random: Random): Uint8Array {
  const kind = random.below(10);
  if (kind === 0) return seed.slice(0, random.below(seed.length));
  if (kind === 1) {
    const [at, length] = [random.below(seed.length), 1 + random.below(64)];
    return Uint8Array.from([
      ...seed.subarray(0, at),
      ...seed.subarray(at, at + length),
      ...seed.subarray(at),
    ]);
  }
  const copy = seed.slice();
  for (let change = 1 + random.below(4); change > 0; change--) {
    const at = random.below(copy.length);
    copy[at] = random.chance(0.3) ? copy[at] ^ 0xff : copy[at] ^ (1 << random.below(8));
  }
  return copy;
}

interface Told {
  refused: number;
  read: number;
}

/** Runs `look` on each input; what it throws has to be a DecodeError with a place in the input. */
function fuzz(count: number, seed: Uint8Array, look: (bytes: Uint8Array) => void): Told {
  const random = new Random(seed.length);
  const told = { refused: 0, read: 0 };
  for (let round = 0; round < count; round++) {
    const bytes = mutated(seed, random);
    try {
      look(bytes);
      told.read++;
    } catch (error) {
      assert.ok(error instanceof DecodeError, `${String(error)} in round ${round}`);
      assert.ok(Number.isInteger(error.offset) && error.offset >= 0, `offset ${error.offset}`);
      told.refused++;
    }
  }
  return told;
}

const used = (): number => {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
};

test(`${cmsInputs} mutated CMS: an end each time; a changed signature or content never fits`, {
  skip,
}, (context) => {
  const { codeDirectories, cms } = decodeCodeSignature(signature);
  assert.ok(cms !== null);
  const content = codeDirectories[0].blob;
  const fits = (bytes: Uint8Array, over: Uint8Array): boolean =>
    verifyCms(bytes, over, signatureCrypto, roots()).points.some(
      ({ outcome, what }) => what === "signature" && outcome === "fits",
    );
  assert.ok(fits(cms, content));
  const before = used();
  const { read, refused } = fuzz(
    cmsInputs,
    cms,
    (bytes) => void verifyCms(bytes, content, signatureCrypto, roots()),
  );
  assert.ok(used() - before < mostGrowth, `memory grew by ${(used() - before) >> 20} MiB`);
  assert.ok(read > cmsInputs / 100 && refused > cmsInputs / 100, `${read} read, ${refused} refused`);
  // The signature itself is the last thing in it: 64 bytes are r and s but for their heads.
  const random = new Random(7);
  for (let round = 0; round < cmsInputs / 100; round++) {
    const bytes: Uint8Array = cms.slice();
    bytes[bytes.length - 1 - random.below(28)] ^= 1 << random.below(8);
    assert.equal(fits(bytes, content), false);
    const other = content.slice();
    other[random.below(other.length)] ^= 1 << random.below(8);
    assert.equal(fits(cms, other), false);
  }
  context.diagnostic(`CMS: ${read} verified, ${refused} refused`);
});

test(`${blobInputs} mutated code signatures: an end each time`, { skip }, (context) => {
  const before = used();
  const { read, refused } = fuzz(blobInputs, signature, (bytes) => {
    const { cms, codeDirectories, requirements } = decodeCodeSignature(bytes);
    for (const { codeHashes, identifier } of codeDirectories)
      assert.ok(codeHashes.length * 20 <= bytes.length + 20 && identifier.length <= bytes.length);
    assert.ok(Object.values(requirements).every((text) => text.length <= 100 * bytes.length));
    if (cms !== null && cms.length > 0 && codeDirectories.length > 0)
      verifyCms(cms, codeDirectories[0].blob, signatureCrypto, roots());
  });
  assert.ok(used() - before < mostGrowth, `memory grew by ${(used() - before) >> 20} MiB`);
  assert.ok(read > blobInputs / 100 && refused > blobInputs / 100, `${read} read, ${refused} refused`);
  context.diagnostic(`code signatures: ${read} read, ${refused} refused`);
});

test(`${bundleInputs} signed bundles with a mutated file: a report each time, and what was changed is named`, {
  skip,
}, async (context) => {
  const random = new Random(11);
  const ask = async (given: readonly BundleFile[]): Promise<readonly string[]> => {
    const options = { platforms: [], platformsMustAccept: false, crypto: signatureCrypto, roots: roots() };
    const report = await checkPackage(
      given.map(({ bytes, name }) => sourceOfBytes(name, bytes)),
      options,
    ).catch((error: unknown) => {
      // What is left of it is no package at all.
      assert.ok(error instanceof RangeError, String(error));
      return error;
    });
    if (report instanceof RangeError) return [report.message];
    return [
      ...brokenPoints(report.signatures).map(({ point }) => `${point.what}: ${point.text}`),
      ...report.files.flatMap(({ problems }) => problems),
    ];
  };
  assert.deepEqual(await ask(files), []);
  let named = 0;
  for (let round = 0; round < bundleInputs; round++) {
    const which = random.below(files.length);
    const changed = files.map((file, index) =>
      index === which ? { ...file, bytes: mutated(file.bytes, random) } : file,
    );
    const said = await ask(changed);
    // Behind the CMS of an executable lie reserved bytes that nobody signs; every other file is signed whole.
    if (files[which].name !== executable) assert.ok(said.length > 0, `round ${round}: ${files[which].name}`);
    if (said.length > 0) named++;
  }
  context.diagnostic(`bundles: ${named} of ${bundleInputs} named as changed`);
});
