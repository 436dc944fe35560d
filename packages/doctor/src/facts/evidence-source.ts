// What the doctor is given: a name to show, and bytes. Never a path; where bytes come from is the caller's business.

import { shown } from "@drydock/core/base/shown-text";

export interface EvidenceSource {
  /** Shown to the person. Nothing is decided from it. */
  readonly name: string;
  /** The bytes from the beginning, in pieces of any size, each left as it is. May be asked for more than once. */
  chunks(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Where a fact was seen. */
export interface Place {
  readonly file: string;
  /** 1 for the first line. 0 in a binary file, where `offset` says where. */
  readonly line: number;
  /** 1 for the first character of the line, in UTF-16 code units, where a reader knows it. */
  readonly column?: number;
  /** Byte position in the file, where lines do not exist. */
  readonly offset?: number;
  /** The line, cut to something that can be shown. */
  readonly text: string;
}

/** Bounds of everything that a hostile file could make large. */
export interface EvidenceLimits {
  /** A larger file is not held in memory: only its lines are read. Bytes. */
  readonly wholeFileBytes: number;
  /** Members of archives, archives in archives, and what their unpacking may add up to. */
  readonly archiveMembers: number;
  readonly archiveDepth: number;
  readonly unpackedBytes: number;
  /** Hits kept for one watch in one file; of the lines after those only the last ones are looked at. */
  readonly hitsPerWatch: number;
  /** Facts of one kind kept from one file. */
  readonly factsPerFile: number;
  /** Source with more characters than this is not parsed. */
  readonly sourceCharacters: number;
  /** Longest line that is looked at whole. Bytes. */
  readonly lineBytes: number;
}

export const defaultLimits: EvidenceLimits = {
  wholeFileBytes: 64 << 20,
  archiveMembers: 4096,
  archiveDepth: 3,
  unpackedBytes: 512 << 20,
  hitsPerWatch: 200,
  factsPerFile: 50_000,
  sourceCharacters: 2 << 20,
  lineBytes: 64 << 10,
};

export function sourceOfBytes(name: string, bytes: Uint8Array): EvidenceSource {
  return { name, chunks: () => [bytes] };
}

export function sourceOfText(name: string, text: string): EvidenceSource {
  return sourceOfBytes(name, new TextEncoder().encode(text));
}

const shownLength = 300;

/** A line as a report may show it: nothing in it commands a terminal, and it is not endless. */
export function shownText(text: string): string {
  return shown(text.trim(), shownLength);
}
