// A rule: what it knows, what it looks for, and the finding it makes of it.

import type { Evidence } from "../evidence/evidence.ts";
import type { Watch } from "../evidence/watch.ts";
import type { Place } from "../facts/evidence-source.ts";
import type { EvidenceKind } from "../facts/read-file.ts";
import type { Claimed } from "../facts/statement.ts";

/** Who can do what has to be done. */
export type Actor =
  | "you"
  | "your team's admin"
  | "the administrator of the Mac"
  | "Apple"
  | "the device's maker"
  | "the vendor of the kernel extension"
  | "the vendor of the driver"
  | "the vendor of the other product"
  | "the developer of the program"
  | "nobody";

/** How well the knowledge behind a rule is founded, as in the fact files. */
export type Certainty = "established" | "likely" | "unknown";

export type Severity = "error" | "warning" | "note";

export interface RuleMeta {
  /** "DR14-1" as in the list of problems, "NT-817993" for a neighbour thread, "IO-RETURN" for codes. */
  readonly id: string;
  /** One line without a full stop. */
  readonly title: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
  /** On what the certainty rests: a source anybody can read. */
  readonly source: string;
  /** Kinds of file that it needs, for "what is missing". */
  readonly needs: readonly EvidenceKind[];
  /** Why it happens: two or three sentences. */
  readonly why: string;
  /** What to do, step by step. */
  readonly fix: readonly string[];
  readonly who: Actor;
  /** It speaks of how evidence was collected: never above an answer that speaks of a failure. */
  readonly isAboutCollecting?: boolean;
  /** What its sentences claim, as data; left out: what the title says was seen. */
  readonly states?: Claimed;
}

/** What a rule found. Everything that is left out comes from the rule. */
export interface Finding {
  /** 0..100: how far this evidence, not the rule in general, carries the claim. See {@link answerThreshold}. */
  readonly score: number;
  /** One sentence about this folder, not about the rule. */
  readonly claim: string;
  readonly because: readonly Place[];
  readonly why?: string;
  readonly fix?: readonly string[];
  readonly who?: Actor;
  readonly severity?: Severity;
  /** What would make it surer, or tell the remaining possibilities apart. */
  readonly missing?: readonly string[];
  /** Names that this is about (registry id, bundle id, class): findings with a common name are one story. */
  readonly about?: readonly string[];
  /** Where this sentence claims something else than the rule's others. */
  readonly states?: Claimed;
}

export interface Rule extends RuleMeta {
  readonly watches?: readonly Watch[];
  judge(evidence: Evidence): readonly Finding[];
}

/** A finding below this is a hint, never an answer: evidence that fits many causes. */
export const answerThreshold = 50;
