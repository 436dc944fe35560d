// The faults of P04 and P12 in real files, their profiles signed by openssl: stage and lines as the table has them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { checkPackage } from "../../src/check.ts";
import { type EvidenceSource, sourceOfBytes } from "../../src/facts/evidence-source.ts";
import {
  accessFaults,
  app,
  dext,
  dextId,
  driverClaims,
  driverFaults,
  filesOfPart,
  profileOf,
  type SigningFault,
  team,
  thisMac,
  today,
  usb,
} from "../../src/test/signing-faults.ts";

const skip =
  spawnSync("openssl", ["version"]).error === undefined
    ? false
    : "openssl is missing: apt-get install openssl";
let folder = "";
const at = (name: string) => join(folder, name);

before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-faults-"));
  if (skip === false)
    openssl(
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "3650",
      ],
      ...["-subj", `/O=Sample/OU=${team}/CN=Sample Profile Signing`, "-keyout", at("key"), "-out", at("pem")],
    );
});
after(() => rmSync(folder, { recursive: true, force: true }));

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

function envelope(content: Uint8Array): Uint8Array {
  writeFileSync(at("in"), content);
  openssl(
    ...["cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-md", "sha256"],
    ...["-signer", at("pem"), "-inkey", at("key"), "-in", at("in"), "-out", at("out")],
  );
  return new Uint8Array(readFileSync(at("out")));
}

/** Under names that say nothing, in any order. */
function sources({ change }: Pick<SigningFault, "change">): EvidenceSource[] {
  const random = new Random(5);
  return [change.app ?? app(), change.dext ?? dext()]
    .flatMap((part) => filesOfPart(part, envelope))
    .map(({ bytes }) => sourceOfBytes(random.next32().toString(16), bytes))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

for (const [title, faults] of [
  ["P04", driverFaults],
  ["P12", accessFaults],
] as const) {
  test(`the faults of ${title}: each stops at its stage with its lines`, { skip }, async () => {
    for (const fault of faults) {
      const report = await checkPackage(sources(fault), {
        tool: fault.change.tool ?? "xcode",
        date: today,
        udid: thisMac,
        platforms: [],
        platformsMustAccept: false,
      });
      assert.equal(report.packages.length, 1, fault.name);
      assert.deepEqual(
        report.files.flatMap(({ problems }) => problems),
        [],
      );
      const failed = report.packages[0].rehearsal.verdicts.find(({ ok }) => ok === false);
      assert.equal(failed?.stage, fault.stage, `${fault.name}: ${failed?.reason}`);
      if (fault.finding !== null) assert.equal(failed?.finding, fault.finding, fault.name);
      assert.deepEqual(failed?.lines, fault.lines, fault.name);
      assert.equal(report.ok, false);
    }
  });
}

test("without a fault every stage that can be judged passes", { skip }, async () => {
  const report = await checkPackage(sources({ change: {} }), {
    date: today,
    udid: thisMac,
    platforms: [],
    platformsMustAccept: false,
  });
  assert.equal(report.ok, true);
  assert.deepEqual(
    report.packages[0].rehearsal.verdicts.map(({ stage, ok }) => `${stage} ${ok}`),
    [
      "build true",
      "build true",
      "install true",
      "launch true",
      "launch true",
      "provider null",
      "user client true",
    ],
  );
});

test("a signed profile whose readable copy was edited afterwards: the DER decides", { skip }, async () => {
  const profile = profileOf(dextId, { ...driverClaims, [usb]: [{ idVendor: "*" }] });
  const [info, binary, signed] = filesOfPart(dext(driverClaims, profile), envelope);
  // The list is text inside the envelope; the DER is base64 and does not change.
  const text = Buffer.from(signed.bytes).toString("latin1");
  const edited = Buffer.from(text.replace("<string>*</string>", "<string>9</string>"), "latin1");
  assert.notDeepEqual(new Uint8Array(edited), signed.bytes);
  const report = await checkPackage(
    [info.bytes, binary.bytes, new Uint8Array(edited)].map((bytes, index) =>
      sourceOfBytes(`f${index}`, bytes),
    ),
    { date: today, platforms: [], platformsMustAccept: false },
  );
  assert.equal(report.packages[0].rehearsal.stoppedAt, "launch");
  assert.ok(report.findings.some(({ rule, claim }) => rule === "FX-EDITED" && /the DER counts/.test(claim)));
});
