// What every rule's test needs: evidence from texts, and the two questions: does it fire, is it silent.

import assert from "node:assert/strict";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { diagnose } from "../diagnose.ts";
import { type EvidenceSource, sourceOfBytes, sourceOfText } from "../facts/evidence-source.ts";
import { answerThreshold, type Rule } from "../rules/rule.ts";
import { crossCheck } from "./truths.ts";

/** File name -> text or bytes. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

export function sourcesOf(files: Files): EvidenceSource[] {
  return Object.entries(files).map(([name, content]) =>
    typeof content === "string" ? sourceOfText(name, content) : sourceOfBytes(name, content),
  );
}

/** The rule answers with a claim like this. `level` hint: it speaks, but below the threshold. */
export async function assertFires(
  rule: Rule,
  files: Files,
  claim: RegExp,
  level: "answer" | "hint" = "answer",
): Promise<void> {
  const { answers, hints } = await diagnose(sourcesOf(files), { rules: [rule], cppGrammar });
  const found = level === "answer" ? answers : hints;
  assert.ok(
    found.some((answer) => claim.test(answer.claim)),
    `${rule.id} said ${JSON.stringify({ answers: answers.map(({ claim: text }) => text), hints: hints.map(({ claim: text }) => text) })}`,
  );
  for (const answer of found) {
    assert.ok(answer.because.length > 0, `${rule.id} names no evidence`);
    for (const place of answer.because)
      assert.ok(place.line > 0 || place.offset !== undefined, "a place without a position");
    assert.equal(answer.score >= answerThreshold, level === "answer");
  }
  await crossCheck(rule.id, files);
}

export async function assertSilent(rule: Rule, files: Files): Promise<void> {
  const { answers, hints, files: read } = await diagnose(sourcesOf(files), { rules: [rule], cppGrammar });
  if (rule.needs.includes("source"))
    assert.ok(
      read.some(({ kinds }) => kinds.includes("source")),
      "the sample was not even read as source",
    );
  assert.deepEqual(
    [...answers, ...hints].map((answer) => answer.claim),
    [],
    `${rule.id} should have nothing to say`,
  );
  await crossCheck(rule.id, files);
}
