// What a person's evidence must and must not make the doctor say: on the screen, and as data.

import assert from "node:assert/strict";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { diagnose } from "../diagnose.ts";
import type { Diagnosis } from "../diagnosis.ts";
import { RedactionLedger, redactText } from "../redaction/redacted-text.ts";
import { formatDiagnosis } from "../report/text-report.ts";
import { type Files, sourcesOf } from "./rule-check.ts";

export interface FieldCase {
  readonly files: Files;
  /** Each is on the screen. */
  readonly must?: readonly RegExp[];
  /** None is on the screen, however much of it is asked for. */
  readonly never?: readonly RegExp[];
  /** The rule of the first answer. */
  readonly first?: string;
  /** Nothing is answered: not one finding at or above the threshold. */
  readonly isRight?: boolean;
  /** ISO date. */
  readonly today?: string;
  readonly redact?: boolean;
}

/** Blanks and line breaks of the screen are one blank. */
export async function assertField(one: FieldCase): Promise<void> {
  const diagnosis = await diagnose(sourcesOf(one.files), {
    cppGrammar,
    today: one.today ?? "2026-11-30T12:00:00Z",
    redact: one.redact === true,
  });
  const screen = formatDiagnosis(diagnosis).replace(/\s+/g, " ");
  const whole = formatDiagnosis(diagnosis, { all: true }).replace(/\s+/g, " ");
  for (const text of one.must ?? []) assert.match(screen, text);
  for (const text of one.never ?? []) assert.doesNotMatch(whole, text);
  if (one.first !== undefined) assert.equal(diagnosis.answers[0]?.rule, one.first, screen);
  if (one.isRight === true)
    assert.deepEqual(
      diagnosis.answers.map(({ rule, claim }) => `${rule}: ${claim}`),
      [],
    );
  await assertRedactedAlike(one, diagnosis);
  const json = JSON.stringify(diagnosis);
  if (one.redact === true) for (const text of one.never ?? []) assert.doesNotMatch(json, text);
}

/** What `drydock redact` makes of the files diagnoses to the same rules. */
async function assertRedactedAlike(one: FieldCase, before: Diagnosis): Promise<void> {
  const ledger = new RedactionLedger();
  const texts: Record<string, string> = {};
  for (const [name, content] of Object.entries(one.files)) {
    if (typeof content !== "string") return;
    texts[name] = redactText(content, ledger);
  }
  for (const name of Object.keys(texts)) texts[name] = redactText(texts[name], ledger);
  const after = await diagnose(sourcesOf(texts), { cppGrammar, today: one.today ?? "2026-11-30T12:00:00Z" });
  const rules = ({ answers }: Diagnosis) => [...new Set(answers.map(({ rule }) => rule))].sort();
  assert.deepEqual(rules(after), rules(before), "redacted");
}
