// Bad input of every reader: mutated seeds, cycles, bombs, links, names that climb, broken encodings, endless lines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Random } from "@drydock/core/base/random";
import { diagnose } from "../diagnose.ts";
import { defaultLimits, sourceOfBytes } from "../facts/evidence-source.ts";
import { sourcesOf } from "../test/rule-check.ts";
import { binaryPlistSeed as binary, seeds } from "../test/seeds.ts";
import { parseBinaryPlist } from "./plist-binary.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const rounds = 400;
for (const [name, seed] of Object.entries(seeds)) {
  test(`${rounds} mutated files of kind ${name}: a diagnosis each time`, async () => {
    const random = new Random(name.length);
    for (let round = 0; round < rounds; round++) {
      const copy = seed.slice(0, random.chance(0.2) ? random.between(1, seed.length) : seed.length);
      for (let change = random.between(1, 6); change > 0; change--)
        copy[random.below(copy.length)] = random.below(256);
      const { files } = await diagnose([sourceOfBytes("x", copy)]);
      assert.ok(files.length >= 1);
    }
  });
}

test("a binary property list that contains itself is refused, with an offset", () => {
  const cyclic = binary.slice();
  cyclic[14] = 0;
  assert.throws(() => parseBinaryPlist(cyclic), /contains itself/);
  assert.deepEqual(parseBinaryPlist(binary), { a: [true] });
});

test("an XML list nested without end, and entities that would explode, cost nothing", async () => {
  const deep = `<plist><dict><key>CFBundleIdentifier</key>${"<array>".repeat(100_000)}`;
  const laughs = `<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><plist><dict><key>CFBundleIdentifier</key><string>&b;</string></dict></plist>`;
  const { files } = await diagnose(sourcesOf({ deep, laughs }));
  assert.match(files[0].problems.join(), /nested deeper than 64/);
  assert.deepEqual(files[1].problems, []);
});

test("a property list of 120 MB, XML or binary: a sentence, and memory for its lines alone", async () => {
  const piece = utf8("<dict><key>a</key><string>some value of this list</string></dict>\n".repeat(15_000));
  const pieces = Math.ceil((120 << 20) / piece.length);
  const source = (name: string, head: Uint8Array) => ({
    name,
    *chunks() {
      yield head;
      for (let index = 0; index < pieces; index++) yield piece;
    },
  });
  const before = process.memoryUsage().rss;
  const { answers, files, readings } = await diagnose([
    source(
      "xml.plist",
      utf8("<plist><dict><key>CFBundleIdentifier</key><string>a</string><key>b</key><array>\n"),
    ),
    source("binary.plist", utf8("bplist00")),
  ]);
  assert.ok(process.memoryUsage().rss - before < 400 << 20);
  assert.deepEqual(answers, []);
  assert.match(files[0].problems.join(), /^is larger than 64 MiB: .* what looks like a property list/);
  assert.match(files[1].problems.join(), /^is a property list of more than 64 MiB, which is not read/);
  assert.doesNotMatch(readings.map(({ text }) => text).join(), /nothing in it that is a report/);
});

test("a gzip bomb stops at the limit; the other files are still read", async () => {
  const limits = { ...defaultLimits, unpackedBytes: 1 << 20 };
  const { files, answers } = await diagnose(
    sourcesOf({
      "bomb.gz": gzipSync(new Uint8Array(32 << 20)),
      good: "kernel: DK: A-0x1:UC failed userclient-access check, needed bundle ID b",
    }),
    { limits },
  );
  assert.match(files.flatMap((file) => file.problems).join(), /more than 1 MiB/);
  assert.equal(answers[0].rule, "DR20-1");
});

test("a tar archive with a link and a name that climbs: said, and nothing is written", async () => {
  const member = (name: string, type: string, text: string) => {
    const block = new Uint8Array(512 + Math.ceil(text.length / 512) * 512);
    block.set(utf8(name), 0);
    block.set(utf8(text.length.toString(8).padStart(11, "0")), 124);
    block.set(utf8(type), 156);
    block.set(utf8("ustar"), 257);
    block.set(utf8(text), 512);
    return block;
  };
  const line = "DK: A-0x1:UC failed userclient-access check, needed bundle ID b";
  const tar = Uint8Array.from([
    ...member("link", "2", ""),
    ...member("../../etc/x", "0", line),
    ...new Uint8Array(1024),
  ]);
  const { files, answers } = await diagnose([sourceOfBytes("a", tar)]);
  const problems = files.flatMap((file) => file.problems).join("\n");
  assert.match(problems, /leads out of the archive/);
  assert.match(problems, /1 links/);
  assert.equal(answers[0].because[0].file, "a/../../etc/x");
});

test("UTF-16, Latin-1, CRLF and quotes are read; the line is right", async () => {
  const line = "kernel: DK: A-0x1:UC failed userclient-access check, needed bundle ID b";
  const utf16 = Uint8Array.from([
    0xff,
    0xfe,
    ...[...`first\r\n${line}\r\n`].flatMap((letter) => [letter.charCodeAt(0), 0]),
  ]);
  const latin1 = Uint8Array.from([0xe9, 10, ...utf8(`> > ${line}`)]);
  for (const bytes of [utf16, latin1]) {
    const { answers } = await diagnose([sourceOfBytes("x", bytes)]);
    assert.equal(answers[0].because[0].line, 2);
    assert.match(answers[0].claim, /names b\./);
  }
});

test("the last line of a large file counts, though no line feed ends it", async () => {
  const filler = "x".repeat(70).concat("\n").repeat(200);
  const { answers } = await diagnose(
    sourcesOf({ log: `${filler}DK: A-0x1:UC failed userclient-access check, needed bundle ID b` }),
  );
  assert.equal(answers[0]?.because[0].line, 201);
});
