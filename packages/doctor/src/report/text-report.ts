// The diagnosis as a tired person reads it: most likely cause, why, fix, on one screen.

import { hex } from "@drydock/core/base/text";
import type { Answer, Diagnosis } from "../diagnosis.ts";
import type { Place } from "../facts/evidence-source.ts";
import { lifeSentence } from "../life.ts";
import { formatPackageRehearsal, formatRehearsalInShort } from "./rehearsal-report.ts";
import { wrap } from "./wrap.ts";

export interface TextReportOptions {
  /** Columns. Default 100. */
  readonly width?: number;
  /** Escape codes for bold and dim. Default false. */
  readonly isColored?: boolean;
  /** Show every answer in full, hints too. Default false: the first in full, the rest as lines. */
  readonly all?: boolean;
}

const fewest = 40;

export function formatDiagnosis(diagnosis: Diagnosis, options: TextReportOptions = {}): string {
  const width = Math.max(fewest, options.width ?? 100);
  const bold = (text: string) => (options.isColored === true ? `\x1b[1m${text}\x1b[22m` : text);
  const lines: string[] = [];
  const [first, ...others] = diagnosis.answers;
  if (first === undefined) {
    lines.push(
      bold("I don't know the cause."),
      "",
      ...wrap("Nothing in this evidence points to one. What was read is told below.", width, "", ""),
    );
  } else lines.push(...inFull(first, width, bold));
  const also = others.slice(0, options.all === true ? others.length : 5);
  if (also.length > 0) {
    lines.push("", bold("Also"));
    for (const answer of also) {
      if (options.all === true) lines.push("", ...inFull(answer, width, bold));
      else lines.push(...wrap(`${answer.claim} [${answer.rule}]`, width, "  - ", "    "));
    }
    const more = others.length - also.length;
    if (more > 0) lines.push(`  and ${more} more: --all shows them`);
  }
  if (diagnosis.lives.length > 0) {
    lines.push("", bold("What the lines tell of an extension's life"));
    for (const life of diagnosis.lives.slice(0, options.all === true ? 1000 : 3))
      lines.push(...wrap(lifeSentence(life), width, "  - ", "    "));
    const more = diagnosis.lives.length - 3;
    if (more > 0 && options.all !== true) lines.push(`  and ${more} more: --all shows them`);
  }
  for (const item of diagnosis.rehearsals)
    lines.push(
      "",
      ...(options.all === true ? formatPackageRehearsal(item, true) : formatRehearsalInShort(item, width)),
    );
  const hints = diagnosis.hints.slice(0, options.all === true ? 1000 : first === undefined ? 5 : 2);
  if (hints.length > 0) {
    lines.push(
      "",
      bold(first === undefined ? "Seen, but it fits many causes" : "Seen too, no answer by itself"),
    );
    for (const hint of hints)
      lines.push(
        ...wrap(`${hint.claim} [${hint.rule}] ${placeName(hint.because[0])}`, width, "  - ", "    "),
      );
  }
  if (diagnosis.missing.length > 0) {
    lines.push("", bold(first === undefined ? "What would help" : "Still missing"));
    for (const text of diagnosis.missing) lines.push(...wrap(text, width, "  - ", "    "));
  }
  if (diagnosis.suppressed.length > 0) {
    lines.push("", bold("Taken back by comments in the source"));
    for (const { rule, place, reason } of diagnosis.suppressed.slice(0, options.all === true ? 1000 : 3))
      lines.push(...wrap(`${placeName(place)} ${rule}: ${reason}`, width, "  - ", "    "));
    const more = diagnosis.suppressed.length - 3;
    if (more > 0 && options.all !== true) lines.push(`  and ${more} more: --all shows them`);
  }
  if (diagnosis.readings.length > 0) {
    lines.push("", bold("What was read"));
    const most = options.all === true ? 1000 : 10;
    for (const { file, text, who } of diagnosis.readings.slice(0, most))
      lines.push(
        ...wrap(`${file}: ${text}${who === null ? "" : `; to be done by ${who}`}`, width, "  - ", "    "),
      );
    if (diagnosis.readings.length > most)
      lines.push(`  and ${diagnosis.readings.length - most} more: --all shows them`);
  }
  // What is binary and of no kind is told above, in one line.
  const troubled = diagnosis.files
    .filter(({ kinds }) => !kinds.includes("unknown"))
    .flatMap((file) => file.problems.map((problem) => `${file.name} ${problem}`));
  if (troubled.length > 0) {
    lines.push("", bold("Not read, or not whole"));
    for (const text of troubled.slice(0, options.all === true ? 1000 : 5))
      lines.push(...wrap(text, width, "  - ", "    "));
    if (troubled.length > 5 && options.all !== true)
      lines.push(`  and ${troubled.length - 5} more: --all shows them`);
  }
  return `${lines.join("\n")}\n`;
}

const confidence = (score: number) =>
  score >= 90 ? "the evidence says so" : score >= 70 ? "very likely" : "likely";

function inFull(answer: Answer, width: number, bold: (text: string) => string): string[] {
  const lines = wrap(answer.claim, width, "", "").map(bold);
  lines.push(
    `${answer.rule}, ${confidence(answer.score)}; to be done by ${answer.who}`,
    "",
    bold("Evidence"),
  );
  for (const place of answer.because.slice(0, 3))
    lines.push(...wrap(`${placeName(place)}  ${place.text}`, width, "  ", "    ").slice(0, 3));
  if (answer.because.length > 3) lines.push(`  and ${answer.because.length - 3} more places`);
  lines.push("", bold("Why"), ...wrap(answer.why, width, "  ", "  "), "", bold("Fix"));
  answer.fix.forEach((step, index) => {
    lines.push(
      ...wrap(
        step,
        width,
        answer.fix.length === 1 ? "  " : `  ${index + 1}. `,
        answer.fix.length === 1 ? "  " : "     ",
      ),
    );
  });
  lines.push("", ...wrap(`Knowledge: ${answer.certainty} (${answer.source})`, width, "", "  "));
  return lines;
}

/** "folder/log.txt:17", "trace.pcapng@0x1f0". */
export function placeName(place: Place): string {
  if (place.line > 0)
    return `${place.file}:${place.line}${place.column === undefined ? "" : `:${place.column}`}`;
  return `${place.file}@0x${hex(place.offset ?? 0)}`;
}
