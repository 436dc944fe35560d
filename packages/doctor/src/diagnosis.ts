// A diagnosis: answers ranked, hints, the files that were read, and what is missing.

import type { Place } from "./facts/evidence-source.ts";
import type { ReadFile } from "./facts/read-file.ts";
import type { Statement } from "./facts/statement.ts";
import type { NamedLife } from "./life.ts";
import type { Actor, Certainty, Severity } from "./rules/rule.ts";
import type { PackageRehearsal } from "./signing/package-rehearsal.ts";

/** One finding with everything that a reader of the report needs. */
export interface Answer {
  readonly rule: string;
  readonly title: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
  readonly source: string;
  readonly score: number;
  readonly claim: string;
  readonly why: string;
  readonly fix: readonly string[];
  readonly who: Actor;
  readonly because: readonly Place[];
  readonly missing: readonly string[];
  readonly about: readonly string[];
  /** The claim as data, once for each file and subject that it was found in. */
  readonly statements: readonly Statement[];
}

export interface Diagnosis {
  /** Grows when the shape changes. */
  readonly version: 1;
  /** False: nothing here reaches the threshold, and `answers` is empty. */
  readonly isKnown: boolean;
  /** Ranked, surest first. */
  readonly answers: readonly Answer[];
  /** Findings below the threshold: they fit many causes. */
  readonly hints: readonly Answer[];
  /** Findings that a comment in the source takes back, each with the comment's reason. */
  readonly suppressed: readonly SuppressedFinding[];
  readonly files: readonly ReadFile[];
  /** What was read, one line a file: kind, system, process, driver, date, what is notable. */
  readonly readings: readonly Reading[];
  /** Extensions whose lines tell a known history, from activation to the restart that takes it away. */
  readonly lives: readonly NamedLife[];
  /** What would help to say more. */
  readonly missing: readonly string[];
  /** Each driver and app whose entitlements are among the files, played through all stages of signing. */
  readonly rehearsals: readonly PackageRehearsal[];
}

/** One line about a file, or about several that are told together. */
export interface Reading {
  readonly file: string;
  readonly text: string;
  /** Who must act on it; null where nothing has to be done for what it is. */
  readonly who: Actor | null;
}

export interface SuppressedFinding {
  readonly rule: string;
  readonly claim: string;
  readonly place: Place;
  readonly reason: string;
}
