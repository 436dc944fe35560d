// The diagnosis as annotations of a GitHub workflow: one command for each finding, on stdout.

import type { Answer, Diagnosis } from "../diagnosis.ts";

const commands = { error: "error", warning: "warning", note: "notice" } as const;

/** `::error file=a.cpp,line=3,col=5,title=DR02-2::claim`. What a person takes back is left out. */
export function formatGithubAnnotations(diagnosis: Diagnosis): string {
  const line = (answer: Answer, command: string): string => {
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
  };
  return [
    ...diagnosis.answers.map((answer) => line(answer, commands[answer.severity])),
    ...diagnosis.hints.map((hint) => line(hint, "notice")),
  ].join("");
}

/** The escapes that a runner undoes: in messages, and more in properties. */
function message(text: string): string {
  return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

function property(text: string): string {
  return message(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}
