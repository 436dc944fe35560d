// What people hand in, to what may be kept of it: redacted texts with their marks, and what the doctor says.

import { createHash } from "node:crypto";
import type { EvidenceReading, NewEvidence } from "@drydock/board/evidence-store";
import type { Symptom } from "@drydock/board/records";
import { symptomsIn } from "@drydock/board/symptoms";
import { shown } from "@drydock/core/base/shown-text";
import { diagnose } from "@drydock/doctor/diagnose";
import type { Answer } from "@drydock/doctor/diagnosis";
import { sourceOfBytes } from "@drydock/doctor/facts/evidence-source";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { EvidenceFolder } from "./page-scripts/evidence-folder.ts";

export interface HandedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An answer of the doctor as the board keeps and shows it. */
export interface EvidenceCard {
  readonly rule: string;
  readonly title: string;
  readonly claim: string;
  readonly fix: readonly string[];
  readonly who: string;
  readonly because: readonly string[];
}

export interface ReadEvidence {
  readonly files: readonly NewEvidence[];
  readonly reading: Omit<EvidenceReading, "id">;
  /** Files of which nothing may be kept: name and why. */
  readonly refused: readonly string[];
}

const keptCards = 8;
const keptMarks = 60;
const longestMark = 300;

/** `today`: for what ends by date. Nothing of the bytes is kept but what this answers. */
export async function readEvidence(files: readonly HandedFile[], today: string): Promise<ReadEvidence> {
  const folder = new EvidenceFolder();
  folder.set(files, null);
  const redacted = await folder.redact();
  const kept: NewEvidence[] = [];
  const refused: string[] = [];
  for (const file of redacted.files) {
    if (file.text === "") {
      refused.push(`${shown(file.name)}: ${file.notes[0] ?? "there is nothing in it"}`);
      continue;
    }
    const bytes = new TextEncoder().encode(file.text);
    kept.push({
      name: shown(file.name).slice(0, 100),
      bytes,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      marks: file.lines.length + file.more,
      marked: JSON.stringify(
        file.lines.slice(0, keptMarks).map(({ line, parts }) => ({
          line,
          parts: parts.map(({ text, isMark }) => ({ text: text.slice(0, longestMark), isMark })),
        })),
      ),
      notes: file.notes.slice(0, 10),
    });
  }
  const diagnosis = await diagnose(
    files.map(({ name, bytes }) => sourceOfBytes(name, bytes)),
    { redact: true, today, cppGrammar },
  );
  const answers = diagnosis.answers.slice(0, keptCards);
  return {
    files: kept,
    refused,
    reading: {
      isKnown: diagnosis.isKnown,
      cards: JSON.stringify(answers.map(cardOf)),
      symptoms: symptomsOf(answers),
    },
  };
}

const cardOf = ({ rule, title, claim, fix, who, because }: Answer): EvidenceCard => ({
  rule,
  title,
  claim,
  fix: fix.slice(0, 6),
  who,
  because: because.slice(0, 4).map(({ file, line, text }) => `${file}:${line}: ${text}`.slice(0, 400)),
});

/** Rules, fingerprints, and the codes and places in the lines that the doctor names. */
function symptomsOf(answers: readonly Answer[]): Symptom[] {
  const found = new Map<string, Symptom>();
  for (const answer of answers)
    for (const symptom of [
      { kind: "rule", value: answer.rule } as const,
      { kind: "fingerprint", value: fingerprintOf(answer) } as const,
      ...symptomsIn(answer.because.map(({ text }) => text).join("\n")).slice(0, 4),
    ])
      found.set(`${symptom.kind} ${symptom.value}`, symptom);
  return [...found.values()].slice(0, 40);
}

/**
 * The same problem, whatever its reporter calls it: the rule, the place in the system's code, and what the rule says of
 * it. Names of files, bundles and machines are no part of it.
 */
export function fingerprintOf({ rule, because, statements }: Answer): string {
  const text = because.map((place) => place.text).join("\n");
  const codes = symptomsIn(text);
  const place =
    codes.find(({ kind }) => kind === "panic_site")?.value ??
    /\b(?:IO|OS|AppleUSB)[A-Z]\w*(?:::|\.)\w+/.exec(text)?.[0] ??
    codes.find(({ kind }) => kind === "io_return")?.value ??
    "";
  const variants = [...new Set(statements.map(({ predicate, state }) => `${state} ${predicate}`))].sort();
  return createHash("sha256")
    .update(JSON.stringify([rule, place, variants]))
    .digest("hex")
    .slice(0, 16);
}
