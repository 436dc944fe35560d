// A sentence of a report as data: of what is what said, was it seen, refused or absent, and in which file.

/** What has to be handed in whole before something may be called absent from it. */
export type Whole =
  | "list"
  | "function"
  | "source"
  | "profile"
  | "bundle"
  | "report"
  | "registry"
  | "capture"
  | "extensions list";

export type StatementState = "seen" | "refused" | "absent";

/** How a rule's sentences stand: what it says of their subjects, and whether that was seen, refused or is absent. */
export type Claimed =
  | { readonly predicate: string; readonly state: "seen" | "refused" }
  | { readonly predicate: string; readonly state: "absent"; readonly within: Whole };

export interface Statement {
  /** A name of the evidence: a bundle id, a class, a call, a key; the file's where the sentence is about the file. */
  readonly subject: string;
  readonly predicate: string;
  readonly state: StatementState;
  readonly file: string;
  /** What was looked through, whole; null for what was seen or refused. */
  readonly within: Whole | null;
}

export const refused = (predicate: string): Claimed => ({ predicate, state: "refused" });
export const absent = (within: Whole, predicate: string): Claimed => ({ predicate, state: "absent", within });
