// drydock disk fuzz: the storage drivers against a disk whose answers are wrong on purpose (posts.md F25).

import { fuzzStorage } from "@drydock/core/trials/storage-fuzz";
import { hostTurn } from "@drydock/node/host-turn";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";

export interface DiskFuzzOptions {
  readonly seed: number;
  readonly answers: number;
  readonly json: boolean;
}

const progressEveryMs = 1000;

/** Exit code 1 when a driver panicked, hung, or broke a rule; each finding with the seed that shows it again. */
export async function fuzzDisk(options: DiskFuzzOptions, io: CommandIo): Promise<ExitCode> {
  const { answers, seed } = options;
  let shownMs = 0;
  const report = await fuzzStorage({
    seed,
    turn: hostTurn,
    answers,
    onLife: (done) => {
      if (!io.isTalkWatched || performance.now() - shownMs < progressEveryMs) return;
      shownMs = performance.now();
      io.progress(`${done} of ${answers} answers changed`);
    },
  });
  if (options.json) io.document({ seed, ...report });
  else {
    io.print(
      `${report.answers} answers changed in ${report.lives} lives over Bulk-Only, UAS and UAS with streams; ${report.disks} disks came up, ${report.good} requests ended well\n`,
    );
    for (const problem of report.problems) io.print(`${problem}\n`);
    if (report.problems.length === 0) io.print("no panic, no hang, no broken rule\n");
  }
  return report.problems.length === 0 ? exitCodes.pass : exitCodes.finding;
}
