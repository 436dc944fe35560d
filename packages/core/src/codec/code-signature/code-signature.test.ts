// Code signatures by hand, field by field: SuperBlob, CodeDirectory of each version, requirements, bounds with offsets.
// Layout and numbers: xnu, osfmk/kern/cs_blobs.h (CS_SuperBlob, CS_CodeDirectory, CSMAGIC_*, CSSLOT_*, CS_HASHTYPE_*).

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { decodeCodeSignature } from "./code-signature.ts";
import { codeSignatureBytes, encodeCodeSignature } from "./encode.ts";

const word = (value: number): number[] => [
  (value >>> 24) & 0xff,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
];
const letters = (text: string): number[] => [...new TextEncoder().encode(text)];
const blob = (magic: number, payload: readonly number[]): number[] => [
  ...word(magic),
  ...word(8 + payload.length),
  ...payload,
];

/** CSMAGIC_EMBEDDED_SIGNATURE, its length, how many; for each its slot and offset; the blobs. */
function superBlob(parts: readonly (readonly [slot: number, bytes: readonly number[]])[]): Uint8Array {
  let at = 12 + parts.length * 8;
  const index = parts.flatMap(([slot, bytes]) => {
    const own = [...word(slot), ...word(at)];
    at += bytes.length;
    return own;
  });
  return Uint8Array.from([
    ...[0xfa, 0xde, 0x0c, 0xc0],
    ...word(at),
    ...word(parts.length),
    ...index,
    ...parts.flatMap(([, bytes]) => bytes),
  ]);
}

interface Directory {
  readonly version: number;
  readonly flags?: number;
  readonly hashType?: number;
  readonly hashBytes?: number;
  readonly pageShift?: number;
  readonly platform?: number;
  readonly team?: string;
  /** codeLimit64, of versions from 0x20300 on. */
  readonly longLimit?: readonly [high: number, low: number];
  readonly special?: readonly number[];
  readonly pages?: readonly number[];
}

/** Each hash is one byte repeated. */
function directory(plan: Directory): number[] {
  const { version, flags = 0, hashType = 2, hashBytes = 32, pageShift = 12, platform = 0 } = plan;
  const { longLimit = [0, 0], pages = [0xaa], special = [], team } = plan;
  // cs_blobs.h: the fields of each version end there.
  const fields =
    version >= 0x20400
      ? 88
      : version >= 0x20300
        ? 64
        : version >= 0x20200
          ? 52
          : version >= 0x20100
            ? 48
            : 44;
  const names = [...letters("org.example.driver\0"), ...(team === undefined ? [] : letters(`${team}\0`))];
  const hashesAt = fields + names.length + special.length * hashBytes;
  const all = [
    ...[0xfa, 0xde, 0x0c, 0x02],
    ...word(hashesAt + pages.length * hashBytes),
    ...word(version),
    ...word(flags),
    ...word(hashesAt),
    ...word(fields),
    ...word(special.length),
    ...word(pages.length),
    ...word(0x1234),
    ...[hashBytes, hashType, platform, pageShift],
    ...word(0),
    ...word(0),
    ...word(team === undefined ? 0 : fields + "org.example.driver\0".length),
    ...word(0),
    ...word(longLimit[0]),
    ...word(longLimit[1]),
    ...new Array<number>(24).fill(0x5a),
  ];
  return [
    ...all.slice(0, fields),
    ...names,
    // The last slot stands first: slot 1 is next to the code's hashes.
    ...[...special].reverse().flatMap((byte) => new Array<number>(hashBytes).fill(byte)),
    ...pages.flatMap((byte) => new Array<number>(hashBytes).fill(byte)),
  ];
}

const decoded = (plan: Directory) =>
  decodeCodeSignature(superBlob([[0, directory(plan)]])).codeDirectories[0];

test("a CodeDirectory of version 2.4: names, flags, hashes, the limit of 64 bits", () => {
  const found = decoded({
    version: 0x20400,
    flags: 0x10002,
    team: "ABCDE12345",
    platform: 15,
    special: [0x11, 0x22, 0x00],
    pages: [0xaa, 0xbb],
    longLimit: [1, 0x10],
  });
  assert.deepEqual(
    [found.identifier, found.teamIdentifier, found.version, found.platform, found.codeLimit, found.pageBytes],
    ["org.example.driver", "ABCDE12345", 0x20400, 15, 4_294_967_312, 4096],
  );
  assert.deepEqual([found.flags, found.flagNames], [0x10002, ["adhoc", "runtime"]]);
  assert.deepEqual([found.hashType, found.hashBytes], ["sha256", 32]);
  assert.deepEqual(
    [...found.specialHashes].map(([slot, hash]) => [slot, hash[0], hash[31], hash.length]),
    [
      [1, 0x11, 0x11, 32],
      [2, 0x22, 0x22, 32],
      [3, 0, 0, 32],
    ],
  );
  assert.deepEqual(
    found.codeHashes.map((hash) => [hash[0], hash[31], hash.length]),
    [
      [0xaa, 0xaa, 32],
      [0xbb, 0xbb, 32],
    ],
  );
  assert.equal(
    found.blob.length,
    directory({ version: 0x20400, team: "ABCDE12345", special: [1, 2, 3], pages: [1, 2] }).length,
  );
});

test("older versions have fewer fields: what stands there is not taken for a team or a limit", () => {
  for (const version of [0x20001, 0x20100]) {
    const found = decoded({ version });
    assert.deepEqual([found.teamIdentifier, found.codeLimit], [null, 0x1234]);
  }
  assert.equal(decoded({ version: 0x20200, team: "ABCDE12345" }).teamIdentifier, "ABCDE12345");
  // A limit of 64 bits that is 0 leaves the one of 32.
  assert.equal(decoded({ version: 0x20300 }).codeLimit, 0x1234);
});

test("hash types by number, every flag by name, one page of unlimited size", () => {
  for (const [number, name, hashBytes] of [
    [1, "sha1", 20],
    [2, "sha256", 32],
    [3, "sha256-truncated", 20],
    [4, "sha384", 48],
    [9, "hash type 9", 32],
  ] as const)
    assert.equal(decoded({ version: 0x20200, hashType: number, hashBytes }).hashType, name);
  assert.deepEqual(decoded({ version: 0x20200, flags: 0x33f03 }).flagNames, [
    ...["host", "adhoc", "hard", "kill", "expires", "restrict"],
    ...["enforcement", "library-validation", "runtime", "linker-signed"],
  ]);
  assert.equal(decoded({ version: 0x20200, pageShift: 0 }).pageBytes, 0);
  assert.equal(decoded({ version: 0x20200, pageShift: 14 }).pageBytes, 16_384);
});

test("blobs by their magic: both forms of entitlements, CMS, the designated requirement, several directories", () => {
  // Kind 1, operator 2 (ident), length 3, "abc", padding.
  const requirement = blob(0xfade0c00, [...word(1), ...word(2), ...word(3), 0x61, 0x62, 0x63, 0]);
  const host = blob(0xfade0c00, [...word(1), ...word(3)]);
  const set = blob(0xfade0c01, [
    ...word(2),
    ...[...word(3), ...word(28)],
    ...[...word(1), ...word(28 + requirement.length)],
    ...requirement,
    ...host,
  ]);
  const found = decodeCodeSignature(
    superBlob([
      [0, directory({ version: 0x20400 })],
      [2, set],
      [5, blob(0xfade7171, letters("<plist/>"))],
      [7, blob(0xfade7172, [0x70, 0])],
      [0x1000, directory({ version: 0x20400, hashType: 1, hashBytes: 20 })],
      [0x10000, blob(0xfade0b01, [0x30, 0])],
    ]),
  );
  assert.deepEqual(
    found.codeDirectories.map(({ hashType }) => hashType),
    ["sha256", "sha1"],
  );
  assert.deepEqual(found.requirements, { designated: "identifier abc", host: "anchor apple" });
  assert.deepEqual([...(found.designated ?? [])], requirement);
  assert.equal(new TextDecoder().decode(found.entitlementsXml ?? undefined), "<plist/>");
  assert.deepEqual([...(found.entitlementsDer ?? [])], [0x70, 0]);
  assert.deepEqual([...(found.cms ?? [])], [0x30, 0]);
  assert.deepEqual(
    found.blobs.map(({ magic, slot }) => [slot, magic]),
    [
      [0, 0xfade0c02],
      [2, 0xfade0c01],
      [5, 0xfade7171],
      [7, 0xfade7172],
      [0x1000, 0xfade0c02],
      [0x10000, 0xfade0b01],
    ],
  );
  const bare = decodeCodeSignature(superBlob([]));
  assert.deepEqual(
    [bare.codeDirectories, bare.cms, bare.entitlementsDer, bare.entitlementsXml, bare.designated],
    [[], null, null, null, null],
  );
});

test("what does not fit is refused with its offset", () => {
  const refused = (bytes: Uint8Array, offset: number, words: RegExp): void =>
    assert.throws(
      () => decodeCodeSignature(bytes),
      (error) => {
        assert.ok(error instanceof DecodeError, String(error));
        assert.deepEqual([error.offset, words.test(error.message)], [offset, true], error.message);
        return true;
      },
    );
  const good = superBlob([[0, directory({ version: 0x20200 })]]);
  const changed = (at: number, value: number): Uint8Array => {
    const copy = good.slice();
    copy.set(word(value), at);
    return copy;
  };
  refused(good.subarray(0, 11), 11, /cut off/);
  refused(changed(0, 0xfade0c03), 0, /no SuperBlob/);
  refused(changed(4, good.length + 1), 4, /length/);
  refused(changed(8, 257), 8, /257 blobs do not fit/);
  refused(changed(16, good.length - 7), 16, /blob 0 lies behind the end/);
  const start = 20;
  refused(changed(start + 4, 7), start + 4, /blob 0 has length 7/);
  refused(changed(start + 4, good.length), start + 4, /blob 0 has length/);
  // Of a CodeDirectory the offset is its own.
  refused(changed(start + 4, 43), 43, /CodeDirectory.*cut off/);
  refused(changed(start + 24, 65), 24, /65 special/);
  refused(changed(start + 28, 4_000_001), 24, /4000001 code slots/);
  refused(changed(start + 28, 2), 16, /hashes lie outside/);
  refused(changed(start + 16, 0xffff_fff0), 16, /hashes lie outside/);
  const set = (payload: readonly number[]): Uint8Array => superBlob([[2, blob(0xfade0c01, payload)]]);
  refused(set(word(9)), 8, /9 do not fit/);
  refused(set([...word(1), ...word(3), ...word(99)]), 16, /behind the end/);
  refused(
    set([...word(1), ...word(3), ...word(20), ...blob(0xfade0c00, [...word(1), ...word(3)]).slice(0, 12)]),
    24,
    /a requirement of 16 bytes/,
  );
});

test("what is written is read again, and is as long as was foretold", () => {
  const plan = {
    identifier: "org.example.driver",
    teamIdentifier: "ABCDE12345",
    entitlementsXml: Uint8Array.from(letters("<plist/>")),
    entitlementsDer: Uint8Array.of(0x70, 0),
    infoPlist: Uint8Array.of(1, 2, 3),
    resources: Uint8Array.of(4),
    designated: Uint8Array.from(word(3)),
    flags: 2,
  };
  // A digest that says how much it was given, and its first byte.
  const sha256 = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? bytes.length & 0xff : (bytes[0] ?? 0)));
  const code = new Uint8Array(4096 * 2 + 5).fill(0x77);
  const bytes = encodeCodeSignature({ ...plan, code, sha256 });
  assert.equal(bytes.length, codeSignatureBytes(plan, code.length));
  const { codeDirectories, requirements } = decodeCodeSignature(bytes);
  const [{ codeHashes, codeLimit, specialHashes, teamIdentifier }] = codeDirectories;
  assert.deepEqual(
    [codeLimit, teamIdentifier, requirements.designated],
    [code.length, "ABCDE12345", "anchor apple"],
  );
  assert.deepEqual(
    codeHashes.map((hash) => [hash[0], hash[1]]),
    [
      [0, 0x77],
      [0, 0x77],
      [5, 0x77],
    ],
  );
  // Slot 1 is the Info.plist, 3 the seal; 4 and 6 stay empty.
  assert.deepEqual(
    [1, 3, 4, 6].map((slot) => specialHashes.get(slot)?.slice(0, 2)),
    [Uint8Array.of(3, 1), Uint8Array.of(1, 4), Uint8Array.of(0, 0), Uint8Array.of(0, 0)],
  );
});
