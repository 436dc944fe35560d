// The cross test over the casebook: every rule on each case's bundle, whole and with each file removed in turn.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assertTruths, crossCheckWith, type Truths } from "@drydock/doctor/test/truths";
import { hostTurn } from "@drydock/node/host-turn";
import { evidenceOfRun } from "./case-report.ts";
import { casebook, findCase } from "./casebook.ts";

const table = new URL("./truths.json", import.meta.url);

/** What the run leaves, under names that say nothing. */
async function bundle(id: string, side: "bad" | "good"): Promise<Record<string, Uint8Array>> {
  let count = 0;
  const run = await findCase(id).run(side, { seed: 1, turn: hostTurn });
  const files: Record<string, Uint8Array> = {};
  for (const source of evidenceOfRun(run, () => `f${count++}`)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of source.chunks()) pieces.push(piece);
    files[source.name] = new Uint8Array(Buffer.concat(pieces));
  }
  return files;
}

for (const { id } of casebook)
  for (const side of ["bad", "good"] as const)
    test(`${id} ${side}: nothing is said that is not in the table`, async () => {
      await crossCheckWith(table, `${id} ${side}`, await bundle(id, side));
    });

test("one entry less in the table is seen, and one more", async () => {
  const truths = JSON.parse(readFileSync(table, "utf8")) as Truths;
  const files = await bundle("P02", "bad");
  const [first, ...rest] = truths["P02 bad"];
  await assertTruths("P02 bad", files, truths);
  await assert.rejects(assertTruths("P02 bad", files, { ...truths, "P02 bad": rest }));
  await assert.rejects(
    assertTruths("P02 bad", files, { ...truths, "P02 bad": [first, ...rest, "DR14-1 seen @f0"] }),
  );
});
