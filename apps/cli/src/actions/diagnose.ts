// drydock diagnose: whatever a person has, in; cause, evidence, fix and who must act, out.

import { shown } from "@drydock/core/base/shown-text";
import { diagnose } from "@drydock/doctor/diagnose";
import type { Diagnosis } from "@drydock/doctor/diagnosis";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { drydockVersion } from "../terminal/version.ts";
import { evidenceOf, skippedLines } from "./evidence-folder.ts";

export interface DiagnoseCommand {
  readonly path: readonly string[];
  readonly json: boolean;
  readonly sarif: boolean;
  readonly html: boolean;
  readonly github: boolean;
  readonly junit?: OutputFile;
  readonly all: boolean;
  readonly redact: boolean;
  readonly width?: number;
}

export async function diagnosePaths(options: DiagnoseCommand, io: CommandIo): Promise<ExitCode> {
  const { sources, skipped } = evidenceOf(options.path);
  // Whoever redacts a report does not want the names on the screen that goes with it, either.
  for (const line of skippedLines(skipped, options.redact)) io.event(`drydock: ${line}`);
  if (sources.length === 0)
    throw new UsageError(`there is no file in ${options.path.map((each) => shown(each)).join(", ")}`);
  const diagnosis = await diagnose(sources, {
    redact: options.redact,
    today: new Date().toISOString(),
    cppGrammar,
  });
  await printDiagnosis(diagnosis, options, io);
  if (options.junit !== undefined) {
    const { formatDiagnosisJunit } = await import("@drydock/doctor/report/junit");
    options.junit.write(Buffer.from(formatDiagnosisJunit(diagnosis)));
  }
  return diagnosis.isKnown ? exitCodes.finding : exitCodes.pass;
}

/** One format goes to stdout, and only that one is loaded. HTML and annotations escape by their own rules. */
async function printDiagnosis(diagnosis: Diagnosis, options: DiagnoseCommand, io: CommandIo): Promise<void> {
  if (options.json) io.document(diagnosis);
  else if (options.sarif) {
    const { toSarif } = await import("@drydock/doctor/report/sarif");
    io.document(toSarif(diagnosis, drydockVersion));
  } else if (options.html) {
    const { formatHtml } = await import("@drydock/doctor/report/html-report");
    io.printAsIs(formatHtml(diagnosis));
  } else if (options.github) {
    const { formatGithubAnnotations } = await import("@drydock/doctor/report/github");
    io.printAsIs(formatGithubAnnotations(diagnosis));
  } else {
    const { formatDiagnosis } = await import("@drydock/doctor/report/text-report");
    io.print(
      formatDiagnosis(diagnosis, {
        width: options.width ?? io.columns ?? 100,
        isColored: io.isColored,
        all: options.all,
      }),
    );
  }
}
