// A driver in an installer package is judged as in a folder; what is not read is named with its command.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { diagnose } from "../diagnose.ts";
import { sourceOfBytes } from "../facts/evidence-source.ts";
import { packageOf, xarOf } from "../test/installer-packages.ts";
import { plist } from "../test/samples.ts";
import { collectEvidence } from "./collect.ts";

const dext = "Applications/Lamp.app/Contents/Library/SystemExtensions/net.sample.lamp.driver.dext";
const list = plist({
  CFBundleIdentifier: "net.sample.lamp.driver",
  CFBundlePackageType: "DEXT",
  IOKitPersonalities: {
    Lamp: {
      IOClass: "IOUserService",
      IOUserClass: "Lamp",
      IOProviderClass: "IOUSBHostInterface",
      idVendor: "0x1234",
    },
  },
});

for (const form of ["odc", "newc"] as const)
  test(`a payload of gzip and cpio (${form}): the driver's Info.plist is found and judged in it`, async () => {
    const bytes = packageOf({ [`${dext}/Info.plist`]: list, "Applications/Lamp.app/a.txt": "a" }, form);
    const { answers, files } = await diagnose([sourceOfBytes("Lamp.pkg", bytes)]);
    assert.equal(answers[0]?.rule, "FX-PLIST");
    assert.match(
      answers[0].because[0].file,
      /^Lamp\.pkg\/Payload\/.*net\.sample\.lamp\.driver\.dext\/Info\.plist$/,
    );
    assert.ok(files.some(({ name, kinds }) => name === "Lamp.pkg" && kinds.includes("installer package")));
    for (const { problems } of files) assert.deepEqual(problems, []);
  });

const octets = "application/octet-stream";
const unread: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  pbzx: [
    xarOf([{ name: "Payload", bytes: new TextEncoder().encode("pbzx0000"), encoding: octets }]),
    /Payload compressed with pbzx \(xz\), which is not read; pkgutil --expand-full Lamp\.pkg FOLDER/,
  ],
  bzip2: [
    xarOf([{ name: "Payload", bytes: new Uint8Array(8), encoding: "application/x-bzip2" }]),
    /compressed with bzip2, which is not read; pkgutil --expand-full/,
  ],
  "a member that is cut": [
    xarOf([{ name: "Payload", bytes: new Uint8Array(64), encoding: octets }]).slice(0, -8),
    /has a member that is not whole \(Payload\)/,
  ],
  "no members": [xarOf([]), /is an installer package with no file in it/],
};

for (const [name, [bytes, said]] of Object.entries(unread))
  test(`${name}: said, with what to do`, async () => {
    const { files } = await collectEvidence([sourceOfBytes("Lamp.pkg", bytes)], []);
    assert.match(files.flatMap(({ problems }) => problems).join("\n"), said);
  });

test("a member that xar itself has packed with zlib is unpacked", async () => {
  const text = new TextEncoder().encode(list);
  const bytes = xarOf([
    { name: "Info.plist", bytes: new Uint8Array(deflateSync(text)), encoding: "application/x-gzip" },
  ]);
  const { answers } = await diagnose([sourceOfBytes("a.pkg", bytes)]);
  assert.equal(answers[0]?.rule, "FX-PLIST");
});

test("a disk image is named with what mounts it", async () => {
  const image = new Uint8Array(4096 + 512).map((_, index) => (index * 7) & 0xff);
  image.set(new TextEncoder().encode("koly"), 4096);
  const { files } = await collectEvidence([sourceOfBytes("Lamp.dmg", image)], []);
  assert.deepEqual(files[0].kinds, ["disk image"]);
  assert.match(files[0].problems.join(), /hdiutil attach Lamp\.dmg/);
});
