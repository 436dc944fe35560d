// Lists of system extensions in the order in which they were taken: before and after often stand in one file.

import type { Evidence } from "../evidence/evidence.ts";
import type { Fact } from "../evidence/facts.ts";
import type { Place } from "../facts/evidence-source.ts";

type Row = Fact<"system-extension">;

/** Rows of one extension in one list. */
export interface ExtensionRows {
  readonly rows: readonly Row[];
}

/** Of each extension its rows list by list; the last list is there without a row, too. Each list begins with its count. */
export function extensionRows(evidence: Evidence): (identifier: string) => readonly ExtensionRows[] {
  const listOf = listIndex(evidence);
  const byId = new Map<string, Map<number, Row[]>>();
  for (const row of evidence.facts("system-extension")) {
    const lists = byId.get(row.value.bundleIdentifier) ?? new Map<number, Row[]>();
    byId.set(row.value.bundleIdentifier, lists);
    const index = listOf(row.place);
    const rows = lists.get(index) ?? [];
    lists.set(index, rows);
    rows.push(row);
  }
  const last = evidence.facts("extension-list").length - 1;
  return (identifier) => {
    const lists = [...(byId.get(identifier) ?? [])].sort(([left], [right]) => left - right);
    const rows = lists.map(([, own]) => ({ rows: own }));
    return last < 0 || lists.at(-1)?.[0] === last ? rows : [...rows, { rows: [] }];
  };
}

/** Rows of the last list of each file: how it stands. What earlier lists of a file say is the past. */
export function currentRows(evidence: Evidence): Row[] {
  const listOf = listIndex(evidence);
  const lastOf = new Map(evidence.facts("extension-list").map(({ place }, index) => [place.file, index]));
  return evidence
    .facts("system-extension")
    .filter(({ place }) => listOf(place) === (lastOf.get(place.file) ?? bare));
}

/** Rows of a file without any head. */
const bare = -1;

function listIndex(evidence: Evidence): (place: Place) => number {
  const heads = new Map<string, { readonly line: number; readonly index: number }[]>();
  evidence.facts("extension-list").forEach(({ place }, index) => {
    const own = heads.get(place.file) ?? [];
    own.push({ line: place.line, index });
    heads.set(place.file, own);
  });
  return ({ file, line }) => {
    const own = heads.get(file) ?? [];
    let low = 0;
    let high = own.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (own[middle].line < line) low = middle + 1;
      else high = middle;
    }
    // What is pasted is not always in order: rows above the only head belong to it.
    return own[Math.max(0, low - 1)]?.index ?? bare;
  };
}
