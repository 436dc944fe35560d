// What of a dext ran: exact counts of lines and functions whose runs are known, summed over processes and runs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import type { Properties } from "@drydock/core/platform/properties";
import { hostTurn } from "@drydock/node/host-turn";
import { type CoveredFile, DextCoverage } from "../../src/host/dext-coverage.ts";
import { compileDext } from "../../src/run/compile-dext.ts";
import { coveragePage, coverageSum, lcovText } from "../../src/run/coverage-report.ts";
import { askedRig } from "../../src/run/dext-rig.ts";
import { runDext } from "../../src/run/dext-run.ts";

const folder = join(import.meta.dirname, "../dexts/unsound");
const source = join(folder, "Unsound.cpp");
const text = readFileSync(source, "utf8").split("\n");
/** From 1. */
const lineOf = (words: string): number => text.findIndex((line) => line.includes(words)) + 1;

type Built = Awaited<ReturnType<typeof compileDext>>;
const builds: Built[] = [];
before(async () => {
  for (const sanitize of [false, true])
    builds.push(await compileDext([folder], { coverage: true, sanitize }));
});

async function covered(
  built: Built,
  ways: readonly number[],
  suspends: "jspi" | "threads" = "jspi",
): Promise<CoveredFile> {
  const coverage = new DextCoverage(built.image);
  const { info } = built;
  const personality = (info.IOKitPersonalities as Properties).Unsound as Properties;
  for (const way of ways)
    await runDext(
      { ...built, info: { ...info, IOKitPersonalities: { Unsound: { ...personality, Way: way } } } },
      ({ bundle }) => askedRig(bundle, { seed: 1, turn: hostTurn }),
      { settleNs: 3e8, coverage, suspends },
    );
  const files = coverage.files((path) => path.startsWith(folder));
  assert.deepEqual(
    files.map(({ path }) => path),
    [source],
  );
  return files[0];
}

/** kScope of Unsound.cpp is sound code but for one read; kSum runs to its end. */
const [fine, scope, sum] = [0, 7, 14];

test("each line as often as it ran: once, not at all, in every run", async () => {
  for (const [built, suspends] of [
    [builds[0], "jspi"],
    [builds[0], "threads"],
    [builds[1], "jspi"],
  ] as const) {
    const { functions, lines } = await covered(built, [fine, sum, sum], suspends);
    assert.equal(lines.get(lineOf("switch (way)")), 3);
    assert.equal(lines.get(lineOf("number = most + (int) four;")), 2);
    assert.equal(lines.get(lineOf("uint32_t inner = four;")), 0);
    assert.equal(lines.get(lineOf("bytes[at] = 7;")), 0);
    assert.equal(lines.get(lineOf("// One way to break")), undefined);
    assert.deepEqual(
      functions.map(({ count, name }) => [name, count]),
      [
        ["Answer", 0],
        ["Touch", 0],
        ["Break", 3],
        ["Unsound::Start_Impl", 3],
      ],
    );
  }
});

test("a loop counts each turn, and a dext that is ended by a finding has counted up to it", async () => {
  const plain = await covered(builds[0], [6]);
  const loop = lineOf("*walk++ = index");
  assert.equal(plain.lines.get(loop), 6, "five turns, and the check that ends it");
  const sanitized = await covered(builds[1], [scope]);
  assert.equal(sanitized.lines.get(lineOf("uint32_t inner = four;")), 4, "four attempts to start it");
});

test("as lcov's tracefile and as a page: sums that agree, and what is in the sources is escaped", async () => {
  const file = await covered(builds[0], [fine]);
  const total = coverageSum([file]);
  const trace = lcovText([file]);
  assert.match(trace, new RegExp(`^TN:drydock\nSF:${source}\n`));
  assert.equal([...trace.matchAll(/^DA:\d+,\d+$/gm)].length, total.lines);
  assert.equal([...trace.matchAll(/^DA:\d+,[1-9]\d*$/gm)].length, total.linesRun);
  assert.match(trace, new RegExp(`^LF:${total.lines}\nLH:${total.linesRun}\nend_of_record$`, "m"));
  assert.match(trace, /^FN:\d+,Break$/m);
  assert.match(trace, /^FNDA:1,Break$/m);
  const page = coveragePage("<b>", [file], () => "a <script> & more");
  assert.doesNotMatch(page, /<script>|<b>/);
  assert.match(page, /Never entered: Answer, Touch/);
});

test("a build that does not count has no blocks", async () => {
  const built = await compileDext([folder]);
  assert.deepEqual(new DextCoverage(built.image).blocks, { all: 0, run: 0 });
});
