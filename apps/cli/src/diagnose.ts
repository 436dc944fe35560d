// drydock diagnose: whatever a person has, in; cause, evidence, fix and who must act, out.

import { diagnose } from "@drydock/doctor/diagnose";
import type { Diagnosis } from "@drydock/doctor/diagnosis";
import { formatGithubAnnotations } from "@drydock/doctor/report/github";
import { formatHtml } from "@drydock/doctor/report/html-report";
import { toSarif } from "@drydock/doctor/report/sarif";
import { formatDiagnosis } from "@drydock/doctor/report/text-report";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { evidenceOf } from "./evidence-folder.ts";
import { exitCodes } from "./exit-codes.ts";
import { drydockVersion } from "./version.ts";

export interface DiagnoseCommand {
  readonly json?: boolean;
  readonly sarif?: boolean;
  readonly html?: boolean;
  readonly github?: boolean;
  readonly all?: boolean;
  readonly redact?: boolean;
  readonly width?: number;
}

export async function diagnosePaths(paths: readonly string[], options: DiagnoseCommand): Promise<void> {
  const format = formatOf(options);
  const { sources, skipped } = evidenceOf(paths);
  if (sources.length === 0) throw new RangeError(`there is no file in ${paths.join(", ")}`);
  for (const line of skipped) process.stderr.write(`drydock: ${line}\n`);
  const diagnosis = await diagnose(sources, {
    redact: options.redact === true,
    today: new Date().toISOString(),
    cppGrammar,
  });
  process.stdout.write(format(diagnosis));
  process.exitCode = diagnosis.isKnown ? exitCodes.finding : exitCodes.pass;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** One format goes to stdout. Throws RangeError when two are asked for. */
function formatOf(options: DiagnoseCommand): (diagnosis: Diagnosis) => string {
  const formats: Readonly<Record<"json" | "sarif" | "html" | "github", (diagnosis: Diagnosis) => string>> = {
    json,
    sarif: (diagnosis) => json(toSarif(diagnosis, drydockVersion)),
    html: formatHtml,
    github: formatGithubAnnotations,
  };
  const asked = (["json", "sarif", "html", "github"] as const).filter((name) => options[name] === true);
  if (asked.length > 1)
    throw new RangeError(`one format at a time, not ${asked.map((name) => `--${name}`).join(" and ")}`);
  if (asked.length === 1) return formats[asked[0]];
  return (diagnosis) =>
    formatDiagnosis(diagnosis, {
      width: options.width ?? process.stdout.columns ?? 100,
      isColored: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
      all: options.all === true,
    });
}
