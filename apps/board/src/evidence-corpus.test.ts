// What is handed in, by the board's own path: the casebook's bundles are named, planted secrets never leave.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleOf, rulesOfCases } from "@drydock/cases/test/case-bundles";
import { Random } from "@drydock/core/base/random";
import { plantedFiles } from "@drydock/doctor/test/planted-secrets";
import { type EvidenceCard, type HandedFile, readEvidence } from "./evidence-reading.ts";

const today = "2026-12-01";

test("5.3: each of the casebook's bundles, under names that say nothing and in no order, has its rule first", async () => {
  const random = new Random(53);
  const wrong: string[] = [];
  for (const [id, rule] of Object.entries(rulesOfCases)) {
    const files: HandedFile[] = [];
    for (const source of await bundleOf(id, "bad")) {
      const pieces = [];
      for await (const piece of source.chunks()) pieces.push(piece);
      files.splice(random.next32() % (files.length + 1), 0, {
        name: random.next32().toString(36),
        bytes: new Uint8Array(Buffer.concat(pieces)),
      });
    }
    const { reading, refused } = await readEvidence(files, today);
    const [first] = JSON.parse(reading.cards) as EvidenceCard[];
    if (first?.rule !== rule) wrong.push(`${id}: ${first?.rule} instead of ${rule}`);
    else assert.ok(reading.isKnown, id);
    // Read by the doctor, and not kept: it cannot be redacted as it is.
    for (const line of refused) assert.match(line, /is a Mach-O, which is not redacted as it is/, id);
  }
  assert.deepEqual(wrong, []);
});

test("5.3: 330 planted secrets: none in what is kept, said, marked or named, file by file and all together", async () => {
  const files = [];
  const secrets = [];
  for (const [name, plant] of Object.entries(plantedFiles)) {
    const { secrets: planted, bytes } = plant();
    // Its own name tells one, too.
    files.push({ name: `${name} of ${planted[0].replaceAll("/", "-")}`, bytes });
    secrets.push(...planted);
  }
  assert.equal(secrets.length, 330);
  for (const handed of [files, ...files.map((file) => [file])]) {
    const read = await readEvidence(handed, today);
    assert.equal(read.files.length, handed.length);
    const told = JSON.stringify([
      read.files.map(({ bytes, marked, notes }) => [new TextDecoder().decode(bytes), marked, notes]),
      read.reading,
      read.refused,
    ]);
    for (const secret of secrets) assert.ok(!told.includes(secret), `${secret} of ${handed[0].name}`);
  }
});
