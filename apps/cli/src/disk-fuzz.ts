// drydock disk fuzz: the storage drivers against a disk whose answers are wrong on purpose (posts.md F25).

import { fuzzStorage } from "@drydock/core/trials/storage-fuzz";
import { hostTurn } from "@drydock/node/host-turn";
import { exitCodes } from "./exit-codes.ts";

export interface DiskFuzzOptions {
  readonly seed: number;
  readonly answers: number;
  readonly json?: boolean;
}

const progressEveryMs = 1000;

/** Exit code 1 when a driver panicked, hung, or broke a rule; each finding with the seed that shows it again. */
export async function fuzzDisk(options: DiskFuzzOptions): Promise<void> {
  const { answers, seed } = options;
  if (!Number.isInteger(answers) || answers < 1)
    throw new RangeError("--answers is a whole number from 1 on");
  let shownMs = 0;
  const report = await fuzzStorage({
    seed,
    turn: hostTurn,
    answers,
    onLife: (done) => {
      if (!process.stderr.isTTY || performance.now() - shownMs < progressEveryMs) return;
      shownMs = performance.now();
      process.stderr.write(`\r${done} of ${answers} answers changed`);
    },
  });
  if (process.stderr.isTTY) process.stderr.write("\n");
  if (options.json === true) process.stdout.write(`${JSON.stringify({ seed, ...report }, null, 2)}\n`);
  else {
    process.stdout.write(
      `${report.answers} answers changed in ${report.lives} lives over Bulk-Only, UAS and UAS with streams; ${report.disks} disks came up, ${report.good} requests ended well\n`,
    );
    for (const problem of report.problems) process.stdout.write(`${problem}\n`);
    if (report.problems.length === 0) process.stdout.write("no panic, no hang, no broken rule\n");
  }
  process.exitCode = report.problems.length === 0 ? exitCodes.pass : exitCodes.finding;
}
