// Signatures verified against openssl's own: a root and a leaf made for the test, and each part changed in turn.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeUtf8 } from "@drydock/core/base/text";
import type { BundleFile, BundlePlan } from "@drydock/core/platform/evidence/signed-bundle";
import { signatureCrypto } from "@drydock/node/signature-crypto";
import { brokenPoints, type CheckReport, checkPackage } from "../../src/check.ts";
import { sourceOfBytes } from "../../src/facts/evidence-source.ts";
import { OwnAuthorities, opensslSkip, requirementFor } from "../../src/test/own-authorities.ts";
import { sampleDext, sealOf } from "../../src/test/signed-samples.ts";

const skip = opensslSkip;
let authorities: OwnAuthorities | null = null;
const own = (): OwnAuthorities => authorities ?? assert.fail("there is no openssl");
const signWith = (name: string, content: Uint8Array): Uint8Array => own().sign(name, content);

before(() => {
  if (skip === false) authorities = new OwnAuthorities(["Own", "Other"]);
});
after(() => authorities?.remove());

const seal = (files: Readonly<Record<string, string>>): Uint8Array =>
  sealOf(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, encodeUtf8(text)])));

const resources = { "Resources/a.txt": "first", "Resources/b.txt": "second" };

/** `by` null: ad hoc, without a requirement. */
function bundle(more: Partial<BundlePlan> = {}, by: string | null = "Own"): BundleFile[] {
  const files = sampleDext({
    profile: null,
    seal: seal(resources),
    ...(by !== null && {
      designated: requirementFor("org.example.app.driver"),
      cms: { reservedBytes: 8192, sign: (directory) => signWith(by, directory) },
    }),
    ...more,
  });
  const root = files[0].name.slice(0, files[0].name.lastIndexOf("/"));
  return [
    ...files,
    ...Object.entries(resources).map(([name, text]) => ({
      name: `${root}/${name}`,
      bytes: encodeUtf8(text),
    })),
  ];
}

function check(files: readonly BundleFile[], root = "Own"): Promise<CheckReport> {
  return checkPackage(
    files.map(({ bytes, name }) => sourceOfBytes(name, bytes)),
    { platforms: [], platformsMustAccept: false, crypto: signatureCrypto, roots: [own().root(root)] },
  );
}

const broken = (report: CheckReport): string[] =>
  brokenPoints(report.signatures).map(({ point }) => `${point.what}: ${point.text}`);
const isCode = ({ name }: BundleFile): boolean => /\.dext\/[^/]*driver$/.test(name);

function changed(
  files: readonly BundleFile[],
  which: (file: BundleFile) => boolean,
  change: (bytes: Uint8Array) => void,
) {
  assert.equal(files.filter(which).length, 1);
  return files.map((file) => {
    if (!which(file)) return file;
    const bytes = file.bytes.slice();
    change(bytes);
    return { ...file, bytes };
  });
}

test("a bundle as openssl signed it: everything fits, to the root that was given", { skip }, async () => {
  const report = await check(bundle());
  assert.deepEqual(broken(report), []);
  const [code] = report.signatures?.code ?? [];
  assert.deepEqual(
    code.points.map(({ outcome, what }) => `${what} ${outcome}`),
    [
      "code fits",
      "slots fits",
      "signature fits",
      "chain fits",
      "certificates in date fits",
      "designated requirement fits",
      "sealed files fits",
    ],
  );
  assert.match(code.points[3].text, /^Own Signer, Own Root: the root that was given$/);
});

test("each part changed in turn is named, and nothing else", { skip }, async () => {
  const whole = bundle();
  const cases: [BundleFile[], RegExp][] = [
    // The last byte before the signature: symbols, which nothing here is read by.
    [
      changed(whole, isCode, (bytes) => {
        bytes[Buffer.from(bytes).indexOf("fade0cc0", 0, "hex") - 1] ^= 1;
      }),
      /^code: 1 of \d+ pages are not what was signed \(page 0\)$/,
    ],
    [
      changed(
        whole,
        ({ name }) => name.endsWith("Info.plist"),
        (bytes) => {
          bytes[bytes.length - 3] ^= 0x20;
        },
      ),
      /^Info\.plist: Info\.plist is not what was signed$/,
    ],
    [
      changed(
        whole,
        ({ name }) => name.endsWith("a.txt"),
        (bytes) => {
          bytes[0] ^= 1;
        },
      ),
      /^sealed files: Resources\/a\.txt is not what was sealed$/,
    ],
    [
      whole.filter(({ name }) => !name.endsWith("b.txt")),
      /^sealed files: Resources\/b\.txt is sealed and not there$/,
    ],
    [
      [
        ...whole,
        { name: whole[0].name.replace("Info.plist", "Resources/c.dylib"), bytes: encodeUtf8("third") },
      ],
      /^sealed files: Resources\/c\.dylib lies there and is not sealed$/,
    ],
    [
      changed(
        whole,
        ({ name }) => name.endsWith("CodeResources"),
        (bytes) => {
          bytes[bytes.length - 4] ^= 0x20;
        },
      ),
      /^the seal of the resources: the seal of the resources is not what was signed$/,
    ],
  ];
  for (const [files, words] of cases) {
    const said = broken(await check(files)).filter((line) => !/the seal lists no files/.test(line));
    assert.equal(said.length, 1, `${words}: ${JSON.stringify(said)}`);
    assert.match(said[0], words);
  }
});

test("another root, another signer, another content", { skip }, async () => {
  assert.deepEqual(broken(await check(bundle(), "Other")), [
    "chain: Own Signer, Own Root: it ends there, which is none of Apple's roots and none that was given",
  ]);
  const foreign = await check(
    bundle({ cms: { reservedBytes: 8192, sign: () => signWith("Own", encodeUtf8("something else")) } }),
  );
  assert.deepEqual(broken(foreign), ["signature: what is here is not what was signed: the digest differs"]);
  const requirement = await check(bundle({ designated: requirementFor("org.example.other") }));
  assert.deepEqual(broken(requirement), [
    'designated requirement: the code does not satisfy its own: identifier "org.example.other"',
  ]);
});

test("ad hoc, and without hashes at hand: open, never verified", { skip }, async () => {
  const adHoc = await check(bundle({}, null));
  assert.deepEqual(broken(adHoc), []);
  assert.ok(
    adHoc.signatures?.code[0].points.some(
      ({ outcome, text }) => outcome === "open" && /nobody stands for it/.test(text),
    ),
  );
  const blind = await checkPackage(
    bundle().map(({ bytes, name }) => sourceOfBytes(name, bytes)),
    { platforms: [], platformsMustAccept: false },
  );
  assert.equal(blind.signatures, null);
});
