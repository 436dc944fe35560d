// What the doctor's rules say of the places that a run of a dext has named.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { DextSources } from "@drydock/dext/project/dext-sources";
import { diagnose } from "@drydock/doctor/diagnose";
import type { EvidenceSource } from "@drydock/doctor/facts/evidence-source";
import { cppGrammar } from "@drydock/node/cpp-grammar";

/** A rule of the doctor's that reads the same place in the sources. */
export interface SourceRemark {
  readonly rule: string;
  readonly title: string;
  readonly file: string;
  readonly line: number;
  readonly claim: string;
  readonly fix: string;
}

/** A rule may name the allocation, and a run the write that goes past it. */
const nearLines = 12;
const placePattern = /([\w.+-]+\.(?:cpp|cc|cxx|c|mm|h|hh|hpp|iig)):(\d+)/g;

/** Nothing is asked when the findings name no place. */
export async function sourceRemarks(
  { interfaces, sources }: DextSources,
  findings: readonly string[],
): Promise<SourceRemark[]> {
  const places = findings.flatMap((text) =>
    [...text.matchAll(placePattern)].map(([, file, line]) => ({ file, line: Number(line) })),
  );
  const named = new Set(places.map(({ file }) => file));
  const files = [...interfaces, ...sources].filter((path) => named.has(basename(path)));
  if (files.length === 0) return [];
  const { answers, hints } = await diagnose(files.map(sourceOfFile), { cppGrammar });
  return [...answers, ...hints].flatMap(({ because, claim, fix, rule, title }) => {
    const near = because.find(({ file, line }) =>
      places.some((place) => place.file === basename(file) && Math.abs(place.line - line) <= nearLines),
    );
    return near === undefined
      ? []
      : [{ rule, title, file: basename(near.file), line: near.line, claim, fix: fix[0] ?? "" }];
  });
}

function sourceOfFile(path: string): EvidenceSource {
  return { name: basename(path), chunks: () => [new Uint8Array(readFileSync(path))] };
}

export function remarkText({ claim, file, fix, line, rule }: SourceRemark): string {
  return `doctor: ${rule} at ${file}:${line}: ${claim}${fix === "" ? "" : ` ${fix}`}`;
}
