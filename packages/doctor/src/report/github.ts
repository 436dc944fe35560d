// Diagnoses and checks as annotations of a GitHub workflow: one command for each finding, on stdout.

import { annotationLine } from "@drydock/core/codec/workflow-command/workflow-command";
import type { CheckReport } from "../check.ts";
import type { Answer, Diagnosis } from "../diagnosis.ts";
import { type FailingOptions, failingsOf } from "./failings.ts";

const levels = { error: "error", warning: "warning", note: "notice" } as const;

/** What a person takes back is left out. */
export function formatGithubAnnotations(diagnosis: Diagnosis): string {
  return [
    ...diagnosis.answers.map((answer) => annotation(answer, levels[answer.severity])),
    ...diagnosis.hints.map((hint) => annotation(hint, "notice")),
  ].join("");
}

/** A check's findings, and each other reason why it fails. */
export function formatCheckAnnotations(report: CheckReport, options?: FailingOptions): string {
  return [
    ...report.findings.map((answer) => annotation(answer, levels[answer.severity])),
    ...report.hints.map((hint) => annotation(hint, "notice")),
    ...failingsOf(report, options).map(({ text, title }) =>
      annotationLine({ level: "error", title, message: text }),
    ),
  ].join("");
}

function annotation(answer: Answer, level: "error" | "warning" | "notice"): string {
  const place = answer.because[0];
  return annotationLine({
    level,
    title: `${answer.rule}: ${answer.title}`,
    message: `${answer.claim}\n${answer.fix.join("\n")}`,
    ...(place === undefined
      ? {}
      : {
          file: place.file,
          ...(place.line > 0 ? { line: place.line } : {}),
          ...(place.column === undefined ? {} : { column: place.column }),
        }),
  });
}
