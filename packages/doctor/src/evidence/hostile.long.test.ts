// Bad input of every reader: mutated seeds, cycles, bombs, links, names that climb, broken encodings, endless lines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Random } from "@drydock/core/base/random";
import { diagnose } from "../diagnose.ts";
import { sourcesOf } from "../test/rule-check.ts";
import { captureOf, crashOf, panicOf, plist } from "../test/samples.ts";
import { collectEvidence } from "./collect.ts";
import { defaultLimits, type EvidenceSource, sourceOfBytes } from "./evidence-source.ts";
import { parseBinaryPlist } from "./plist-binary.ts";
import { watch } from "./watch.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const registry =
  '+-o hba@0  <class IOPCIDevice, id 0x1, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "a" = ({"k"=(1,2)},<00ff>,Yes)\n  }\n';
const binary = Uint8Array.from([
  ...utf8("bplist00"),
  ...[0xd1, 1, 2, 0x51, 0x61, 0xa1, 3, 9, 8, 11, 13, 15],
  ...[0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16],
]);
const seeds: Readonly<Record<string, Uint8Array>> = {
  panic: utf8(panicOf("IOUserService::setPowerState(0x1 : 0x2, 2 -> 0) timed out after 20114 ms")),
  crash: utf8(crashOf({ type: "EXC_BAD_ACCESS", frames: ["DriverKit a", "Sample b"] })),
  legacy: utf8("Exception Type: EXC_CRASH (SIGABRT)\nThread 0 Crashed:\n0  DriverKit  0x1000 a + 4\n"),
  registry: utf8(registry),
  extensions: utf8("1 extension(s)\n*\t*\tABCDE12345\torg.example.drv (1/1)\tdrv\t[activated enabled]\n"),
  plist: utf8(plist({ "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1356 }] })),
  binary,
  capture: captureOf([
    { endpoint: 0, kind: 2, setup: [0x21, 0x20, 0, 0, 0, 0, 7, 0], data: [0, 0, 0, 0, 0, 0, 0], status: -32 },
  ]),
  log: utf8(
    "2025-10-01 12:00:00.001250+0000 0x3e8 Default 0x0 0 0 kernel: (x.dext) DK: A-0x1:UC entitlements check failed\n",
  ),
};

const rounds = 400;
for (const [name, seed] of Object.entries(seeds)) {
  test(`${rounds} mutated files of kind ${name}: a diagnosis each time`, async () => {
    const random = new Random(name.length);
    for (let round = 0; round < rounds; round++) {
      const copy = seed.slice(0, random.chance(0.2) ? random.between(1, seed.length) : seed.length);
      for (let change = random.between(1, 6); change > 0; change--)
        copy[random.below(copy.length)] = random.below(256);
      const { files } = await diagnose([sourceOfBytes("x", copy)]);
      assert.equal(files.length, 1);
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

test("a log of 256 MiB in pieces: its hits are found, its lines counted, and it is never held", async () => {
  const text = "2025-10-01 12:00:00.000000+0000 0x3e8 Default 0x0 0 0 kernel: nothing of interest here\n";
  const piece = utf8(text.repeat(Math.floor((1 << 20) / text.length)));
  const lines = piece.length / text.length;
  const source: EvidenceSource = {
    name: "big",
    *chunks() {
      for (let count = 0; count < 256; count++) yield piece;
      yield utf8("kernel: needle-in-hay\n");
    },
  };
  const needle = watch(["needle-in-hay"], /needle/);
  const before = process.memoryUsage().arrayBuffers;
  const evidence = await collectEvidence([source], [needle]);
  assert.equal(evidence.hits(needle)[0].place.line, 256 * lines + 1);
  assert.ok(process.memoryUsage().arrayBuffers - before < 128 << 20);
});
