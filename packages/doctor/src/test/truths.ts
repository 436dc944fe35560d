// The truth tables of the cross test: what is true of each sample, and with each of its files removed.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { diagnose } from "../diagnose.ts";
import type { Answer } from "../diagnosis.ts";
import { type EvidenceSource, sourceOfBytes, sourceOfText } from "../facts/evidence-source.ts";
import { type NamedFiles, sampleKey } from "./sample-key.ts";

/** "RULE state subject @file", a hint with "?" before it; written and looked at by a person. */
export type Truths = Readonly<Record<string, readonly string[]>>;

const today = "2026-11-30T00:00:00Z";
const shortest = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** Everything that is said of these files, hints too, each sentence as its data. */
export async function statementsOf(files: NamedFiles): Promise<string[]> {
  const sources: EvidenceSource[] = Object.entries(files).map(([name, content]) =>
    typeof content === "string" ? sourceOfText(name, content) : sourceOfBytes(name, content),
  );
  const { answers, hints } = await diagnose(sources, { cppGrammar, today });
  const said = (answer: Answer, mark: string) =>
    answer.statements.map(
      ({ state, subject, file }) =>
        `${mark}${answer.rule} ${state} ${subject === file ? "" : `${shortest(subject)} `}@${file}`,
    );
  return [
    ...new Set([
      ...answers.flatMap((answer) => said(answer, "")),
      ...hints.flatMap((answer) => said(answer, "?")),
    ]),
  ].sort();
}

/** The whole, then without each file in turn; a sample of one file has only the whole. */
export function* variants(files: NamedFiles): Generator<readonly [name: string, files: NamedFiles]> {
  const names = Object.keys(files);
  yield ["", files];
  if (names.length < 2) return;
  for (const name of names)
    yield [` without ${name}`, Object.fromEntries(Object.entries(files).filter(([other]) => other !== name))];
}

/** Compares one set of files with its rows. */
export async function assertTruths(label: string, files: NamedFiles, truths: Truths): Promise<void> {
  for (const [removed, rest] of variants(files)) {
    const said = await statementsOf(rest);
    assert.deepEqual(said, [...(truths[`${label}${removed}`] ?? [])].sort(), `${label}${removed}`);
  }
}

const samplesTable = new URL("./truths.json", import.meta.url);
const tables = new Map<string, Truths>();

/** Every rule on a rule's own sample: nothing is said that the table does not call true. */
export function crossCheck(rule: string, files: NamedFiles): Promise<void> {
  return crossCheckWith(samplesTable, `${rule} ${sampleKey(files)}`, files);
}

export async function crossCheckWith(path: URL, label: string, files: NamedFiles): Promise<void> {
  // DRYDOCK_TRUTHS=FILE collects what is said, for a person to look at; nothing is compared then.
  const collect = process.env.DRYDOCK_TRUTHS;
  if (collect === undefined) {
    const table = tables.get(path.href) ?? (JSON.parse(readFileSync(path, "utf8")) as Truths);
    tables.set(path.href, table);
    return assertTruths(label, files, table);
  }
  for (const [removed, rest] of variants(files))
    writeFileSync(collect, `${JSON.stringify([`${label}${removed}`, await statementsOf(rest)])}\n`, {
      flag: "a",
    });
}
