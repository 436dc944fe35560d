// drydock diagnose: whatever a person has, in; cause, evidence, fix and who must act, out.

import { diagnose } from "@drydock/doctor/diagnose";
import { formatDiagnosis } from "@drydock/doctor/report/text-report";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { evidenceOf } from "./evidence-folder.ts";
import { exitCodes } from "./exit-codes.ts";

export interface DiagnoseCommand {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly redact?: boolean;
  readonly width?: number;
}

export async function diagnosePaths(paths: readonly string[], options: DiagnoseCommand): Promise<void> {
  const { sources, skipped } = evidenceOf(paths);
  if (sources.length === 0) throw new RangeError(`there is no file in ${paths.join(", ")}`);
  for (const line of skipped) process.stderr.write(`drydock: ${line}\n`);
  const diagnosis = await diagnose(sources, {
    redact: options.redact === true,
    today: new Date().toISOString(),
    cppGrammar,
  });
  if (options.json === true) process.stdout.write(`${JSON.stringify(diagnosis, null, 2)}\n`);
  else {
    process.stdout.write(
      formatDiagnosis(diagnosis, {
        width: options.width ?? process.stdout.columns ?? 100,
        isColored: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
        all: options.all === true,
      }),
    );
  }
  process.exitCode = diagnosis.isKnown ? exitCodes.finding : exitCodes.pass;
}
