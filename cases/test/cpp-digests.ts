// Prints a digest of the right dext of P02 for each seed. Arguments: first seed, count.

import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { hostTurn } from "@drydock/node/host-turn";
import { compileSide } from "../cpp-case.ts";
import { judgeLineCoding, runLineCoding, setLineCodingCase } from "../P02-set-line-coding/case.ts";
import { setLineCodingCpp } from "../P02-set-line-coding/cpp-case.ts";
import { digestOfRun } from "../run-digest.ts";

const [first = 1, count = 1] = process.argv.slice(2).map(Number);
const built = await compileSide(setLineCodingCpp, "good", { seed: 1, turn: hostTurn, cppGrammar });
for (let seed = first; seed < first + count; seed++) {
  const { bundle } = new LoadedDext(built);
  const run = judgeLineCoding(await runLineCoding(bundle, { seed, turn: hostTurn }));
  process.stdout.write(`${digestOfRun(setLineCodingCase, run)}${run.succeeded ? "" : " failed"}\n`);
}
