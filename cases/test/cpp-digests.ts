// Prints digests of the right dext of P02 for each seed: with JSPI, and with threads. Arguments: first seed, count.

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
  const digests = [];
  for (const suspends of ["jspi", "threads"] as const) {
    const dext = new LoadedDext(built, { suspends });
    const run = judgeLineCoding(await runLineCoding(dext.bundle, { seed, turn: hostTurn }));
    digests.push(`${digestOfRun(setLineCodingCase, run)}${run.succeeded ? "" : " failed"}`);
    dext.close();
  }
  process.stdout.write(`${digests.join(" ")}\n`);
}
