// The diagnosis as annotations of a GitHub workflow: one command for each finding, on stdout.

import type { CheckReport } from "../check.ts";
import type { Answer, Diagnosis } from "../diagnosis.ts";

const commands = { error: "error", warning: "warning", note: "notice" } as const;

/** `::error file=a.cpp,line=3,col=5,title=DR02-2::claim`. What a person takes back is left out. */
export function formatGithubAnnotations(diagnosis: Diagnosis): string {
  return [
    ...diagnosis.answers.map((answer) => annotation(answer, commands[answer.severity])),
    ...diagnosis.hints.map((hint) => annotation(hint, "notice")),
  ].join("");
}

/** A check's findings, each stage that fails, and each import that is missing. */
export function formatCheckAnnotations({ findings, gates, packages }: CheckReport): string {
  const failure = (title: string, text: string): string =>
    `::error title=${property(title)}::${message(text)}\n`;
  return [
    ...findings.map((answer) => annotation(answer, commands[answer.severity])),
    ...packages.flatMap(({ rehearsal }) =>
      rehearsal.verdicts
        .filter(({ ok }) => ok === false)
        .map(({ bundleIdentifier, fix, reason, stage }) =>
          failure(`${stage} fails`, `${bundleIdentifier}: ${reason}\n${fix}`),
        ),
    ),
    ...gates.flatMap(({ file, missing }) =>
      missing.map(({ since, wanted }) =>
        failure("import is missing", `${file}: ${wanted.symbol} came with ${since}`),
      ),
    ),
  ].join("");
}

function annotation(answer: Answer, command: string): string {
  const place = answer.because[0];
  const where =
    place === undefined
      ? ""
      : [
          `file=${property(place.file)}`,
          ...(place.line > 0 ? [`line=${place.line}`] : []),
          ...(place.column === undefined ? [] : [`col=${place.column}`]),
          "",
        ].join(",");
  const title = property(`${answer.rule}: ${answer.title}`);
  return `::${command} ${where}title=${title}::${message(`${answer.claim}\n${answer.fix.join("\n")}`)}\n`;
}

/** The escapes that a runner undoes: in messages, and more in properties. */
function message(text: string): string {
  return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

function property(text: string): string {
  return message(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}
