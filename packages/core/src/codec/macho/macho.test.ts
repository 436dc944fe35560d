// Mach-O and code signatures: what we write is read back, symbols become readable, hostile bytes are refused.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex, decodeUtf8, encodeUtf8 } from "../../base/text.ts";
import { decodeCodeSignature, SignatureSlot } from "../code-signature/code-signature.ts";
import { decodeRequirement } from "../code-signature/requirement.ts";
import { decodeSignedData, encodeUnsignedData } from "../der/cms.ts";
import {
  decodeDerEntitlements,
  decodeDerProfile,
  encodeDerEntitlements,
  encodeDerProfile,
} from "../der/der-entitlements.ts";
import { encodeMachO, symbolName } from "./encode.ts";
import { decodeMachO, looksLikeMachO, readableSymbol } from "./macho.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
const entitlements = { "com.apple.developer.driverkit": true };
const scsi =
  "/System/DriverKit/System/Library/Frameworks/SCSIControllerDriverKit.framework/SCSIControllerDriverKit";

function sample(): Uint8Array {
  return encodeMachO({
    platform: 10,
    minimumOS: "24.0",
    sdk: "24.4",
    dylibs: ["/System/DriverKit/System/Library/Frameworks/DriverKit.framework/DriverKit", scsi],
    imports: [
      { symbol: "__ZN9IOService4initEv", dylib: 0 },
      { symbol: "_gIOUserSCSIParallelInterfaceControllerMetaClass", dylib: 1, isWeak: true },
    ],
    signature: {
      identifier: "org.example.driver",
      teamIdentifier: "TEAM123456",
      entitlementsXml: encodeUtf8("<plist/>"),
      entitlementsDer: encodeDerEntitlements(entitlements),
      flags: 2,
      sha256,
    },
  });
}

test("a driver's Mach-O: build version, libraries, imports and signature are read back", () => {
  const file = sample();
  assert.equal(looksLikeMachO(file), true);
  const [slice] = decodeMachO(file);
  assert.equal(slice.architecture, "arm64");
  assert.deepEqual(slice.build, { platform: "DriverKit", minimumOS: "24.0", sdk: "24.4" });
  assert.equal(slice.dylibs[1].path, scsi);
  assert.deepEqual(slice.imports, [
    { symbol: "__ZN9IOService4initEv", dylib: 0, isWeak: false },
    { symbol: "_gIOUserSCSIParallelInterfaceControllerMetaClass", dylib: 1, isWeak: true },
  ]);
  assert.ok(slice.signature !== null);
  const { offset, size } = slice.signature;
  assert.equal(offset + size, file.length);
  const signature = decodeCodeSignature(file.subarray(offset, offset + size));
  const [directory] = signature.codeDirectories;
  assert.equal(directory.identifier, "org.example.driver");
  assert.equal(directory.teamIdentifier, "TEAM123456");
  assert.deepEqual(directory.flagNames, ["adhoc"]);
  assert.equal(decodeUtf8(signature.entitlementsXml as Uint8Array), "<plist/>");
  assert.deepEqual(decodeDerEntitlements(signature.entitlementsDer as Uint8Array), entitlements);
  const blob = signature.blobs.find(({ slot }) => slot === SignatureSlot.derEntitlements);
  assert.deepEqual(
    directory.specialHashes.get(SignatureSlot.derEntitlements),
    sha256(blob?.bytes as Uint8Array),
  );
  assert.deepEqual(directory.codeHashes[0], sha256(file.subarray(0, Math.min(4096, offset))));
});

test("symbols of classes become readable, others stay null", () => {
  assert.equal(readableSymbol("__ZN9IOService4InitEv"), "IOService::Init");
  assert.equal(readableSymbol("__ZNK8OSObject9getRefCntEv"), "OSObject::getRefCnt");
  assert.equal(readableSymbol("__ZTV38IOUserSCSIParallelInterfaceController"), null);
  assert.equal(
    readableSymbol("__ZTV37IOUserSCSIParallelInterfaceController"),
    "vtable for IOUserSCSIParallelInterfaceController",
  );
  assert.equal(readableSymbol("__ZN8OSObjectD2Ev"), "OSObject::~OSObject");
  assert.equal(readableSymbol("_IOLog"), null);
  for (const name of ["IOService::Init", "vtable for IOService", "A::B::C"])
    assert.equal(readableSymbol(symbolName(name)), name);
  assert.equal(symbolName("IOLog"), "_IOLog");
  assert.equal(readableSymbol("__ZN99999999999999999999999X"), null);
});

test("a requirement becomes the text that requirement tools print", () => {
  // identifier "a-b" and (anchor apple or cdhash H"0102")
  const bytes = bytesFromHex(`fade0c00 00000034 00000001
    00000006 00000002 00000003 612d6200 00000007 00000003 00000008 00000002 01020000 00000000`);
  assert.equal(decodeRequirement(bytes), 'identifier "a-b" and (anchor apple or cdhash H"0102")');
  assert.throws(() => decodeRequirement(bytesFromHex("fade0c00 00000010 00000001 000000ff")), /operator 255/);
});

test("200000 mutated binaries, signatures, profiles: no crash, every refusal has an offset", () => {
  const file = sample();
  const { offset, size } = decodeMachO(file)[0].signature as { offset: number; size: number };
  const signature = file.slice(offset, offset + size);
  const profile = encodeDerProfile({ Name: "x", Entitlements: entitlements, Devices: ["a", "b"] });
  const targets: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    [file, decodeMachO],
    [signature, decodeCodeSignature],
    [encodeUnsignedData(profile), decodeSignedData],
    [profile, decodeDerProfile],
    [encodeDerEntitlements({ list: ["a", 5, false, { b: new Uint8Array(9) }] }), decodeDerEntitlements],
  ];
  const random = new Random(11);
  let refused = 0;
  for (let round = 0; round < 200_000; round++) {
    const [seed, decode] = targets[round % targets.length];
    let bytes = seed.slice();
    for (let count = random.below(4); count >= 0; count--)
      bytes[random.below(Math.min(bytes.length, 600))] = random.below(256);
    if (random.chance(0.2)) bytes = bytes.subarray(0, random.below(bytes.length + 1));
    try {
      decode(bytes);
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
      assert.ok(error.offset >= 0);
      refused++;
    }
  }
  assert.ok(refused > 10_000);
});

// LC_BUILD_VERSION: command 32h, size, platform, least and built-with versions as xxxx.yy.zz, no tools.
test("the first load command is the build version, word for word; a signature outside its slice is refused", () => {
  const file = sample();
  const view = new DataView(file.buffer, file.byteOffset);
  const wordsFrom = (at: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => view.getUint32(at + 4 * index, true));
  assert.deepEqual(wordsFrom(32, 6), [0x32, 24, 10, 0x00180000, 0x00180400, 0]);
  let at = 32;
  // LC_SYMTAB: command 02h; its texts begin with an empty one, so that index 0 is no name.
  while (view.getUint32(at, true) !== 0x02) at += view.getUint32(at + 4, true);
  const strings = view.getUint32(at + 16, true);
  assert.equal(decodeUtf8(file.subarray(strings, strings + 8)), "\0__ZN9IO");
  // LC_CODE_SIGNATURE: command 1Dh, size, offset, length; ours ends with the file.
  while (view.getUint32(at, true) !== 0x1d) at += view.getUint32(at + 4, true);
  assert.equal(view.getUint32(at + 8, true) + view.getUint32(at + 12, true), file.length);
  for (const [field, value] of [
    [8, file.length],
    [8, 0xfffffff0],
    [12, view.getUint32(at + 12, true) + 1],
  ]) {
    const lying = file.slice();
    new DataView(lying.buffer).setUint32(at + field, value, true);
    assert.throws(
      () => decodeMachO(lying),
      (error) =>
        error instanceof DecodeError && error.offset === at && /outside its slice/.test(error.message),
    );
  }
});
