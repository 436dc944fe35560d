// Diagnoses and checks as JUnit's XML: a case fails where the exit code has a reason to be 1.

import { type JunitCase, type JunitSuite, writeJunit } from "@drydock/core/codec/junit/junit";
import type { CheckReport } from "../check.ts";
import type { Answer, Diagnosis } from "../diagnosis.ts";
import { type FailingOptions, failingsOf } from "./failings.ts";

/** Each answer fails, hints and what a person takes back do not. */
export function formatDiagnosisJunit({ answers, hints, suppressed }: Diagnosis): string {
  const cases: JunitCase[] = [
    ...answers.map((answer) => ({ ...named(answer), failure: failure(answer) })),
    ...hints.map((hint) => ({ ...named(hint), output: textOf(hint) })),
    ...suppressed.map(({ claim, place, reason, rule }) => ({
      className: rule,
      name: `${claim} (${place.file}:${place.line})`,
      skipped: reason,
    })),
  ];
  if (answers.length === 0) cases.unshift({ className: "drydock", name: "nothing is known to be wrong" });
  return writeJunit([{ name: "drydock diagnose", cases }]);
}

/** A suite of the stages of each bundle, one of the other reasons to fail, and one of the doctor's findings. */
export function formatCheckJunit(report: CheckReport, options?: FailingOptions): string {
  const stages: JunitCase[] = report.packages.flatMap(({ rehearsal }) =>
    rehearsal.verdicts.map(({ bundleIdentifier, fix, ok, reason, stage }) => ({
      className: bundleIdentifier,
      name: stage,
      ...(ok === false ? { failure: { message: reason, text: `${reason}\n${fix}` } } : {}),
      ...(ok === null ? { skipped: reason } : {}),
    })),
  );
  const others: JunitCase[] = failingsOf({ ...report, packages: [] }, options).map(
    ({ about, text, title }) => ({ className: about, name: title, failure: { message: text, text } }),
  );
  const findings: JunitCase[] = report.findings.map((answer) => ({
    ...named(answer),
    ...(answer.severity === "error" ? { failure: failure(answer) } : { output: textOf(answer) }),
  }));
  const suites: JunitSuite[] = [
    { name: "drydock check: stages", cases: stages },
    { name: "drydock check: binaries, systems, files", cases: others },
    { name: "drydock check: findings", cases: findings },
  ].filter(({ cases }) => cases.length > 0);
  const passed = {
    name: "drydock check",
    cases: [{ className: "drydock", name: "nothing is known to be wrong" }],
  };
  return writeJunit(suites.length === 0 ? [passed] : suites);
}

function named({ because, claim, rule }: Answer): { className: string; name: string } {
  const [place] = because;
  const where = place === undefined ? "" : ` (${place.file}${place.line > 0 ? `:${place.line}` : ""})`;
  return { className: rule, name: `${claim}${where}` };
}

const failure = (answer: Answer) => ({ message: answer.title, text: textOf(answer) });

const textOf = ({ claim, fix, why }: Answer): string => [claim, why, ...fix].join("\n");
