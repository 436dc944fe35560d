// What a board is made of, as its store hands it out. All times are milliseconds UTC, all ids positive integers.

export type Role = "reader" | "writer" | "engineer" | "moderator" | "owner" | "project";

export interface Person {
  readonly id: number;
  /** Lower-case letters, digits and hyphens; unique. */
  readonly handle: string;
  readonly shownName: string;
  readonly role: Role;
  /** By acts that took care, or a moderator's word; false: new here. */
  readonly isKnown: boolean;
}

export interface Topic {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  /** Where the documentation of this topic is, and what the link is called. */
  readonly documentationUrl: string;
  readonly documentationName: string;
  /** Posts in its list. */
  readonly posts: number;
}

export type PostKind = "question" | "case" | "guide";
/** `hidden` is for moderation; a deleted post keeps its number and its place, not its text. */
export type PostState = "open" | "solved" | "duplicate" | "hidden" | "deleted";

/** The row that a post had on the page it was taken from: kept apart from our own counts. */
export interface OriginRow {
  /** From 1, in the order of that page. */
  readonly position: number;
  readonly title: string;
  readonly replies: number;
  readonly boosts: number;
  readonly views: number;
  /** As that page wrote it. */
  readonly activity: string;
}

/** A post as lists show it. */
export interface PostRow {
  readonly id: number;
  readonly topicId: number;
  readonly author: Person;
  readonly kind: PostKind;
  readonly title: string;
  readonly state: PostState;
  readonly duplicateOf: number | null;
  readonly acceptedReplyId: number | null;
  /** Id of the case in the casebook, as "P02"; null while there is none. */
  readonly caseId: string | null;
  readonly isPinned: boolean;
  /** No more answers but a moderator's. */
  readonly isLocked: boolean;
  readonly createdAt: number;
  readonly activityAt: number;
  readonly replies: number;
  readonly boosts: number;
  readonly views: number;
  /** `seed`: came with the project. */
  readonly source: "own" | "seed";
  /** Name of its folder in an export, unique and kept. */
  readonly folder: string;
  readonly bodyId: number;
  /** Grows by one with every edit of title, text or tags. */
  readonly version: number;
  /** The first words of its text. */
  readonly excerpt: string;
  readonly tags: readonly string[];
  readonly origin: OriginRow | null;
}

/** A post with its text. */
export interface Post extends PostRow {
  readonly markdown: string;
  readonly symptoms: readonly Symptom[];
}

export type ReplyKind = "answer" | "comment";

export interface Reply {
  readonly id: number;
  readonly postId: number;
  /** The answer that a comment belongs to; null for answers and for comments on the post. */
  readonly parentId: number | null;
  readonly author: Person;
  readonly kind: ReplyKind;
  readonly state: "shown" | "hidden" | "deleted";
  readonly createdAt: number;
  readonly version: number;
  readonly bodyId: number;
  readonly markdown: string;
  readonly source: "own" | "seed";
  /** Name of its file in an export, unique within its post. */
  readonly file: string;
}

export interface Revision {
  readonly version: number;
  readonly at: number;
  readonly editor: Person;
  readonly title: string | null;
  readonly markdown: string;
}

/** `io_return`: eight hexadecimal digits; `error_number`: decimal; `panic_site`: file:line; `usb_id`: vid:pid; `rule`: DRxx-n; `fingerprint`: a finding at a place, 16 hexadecimal digits. */
export type SymptomKind = "io_return" | "error_number" | "panic_site" | "usb_id" | "rule" | "fingerprint";
export const symptomKinds: readonly SymptomKind[] = [
  "io_return",
  "error_number",
  "panic_site",
  "usb_id",
  "rule",
  "fingerprint",
];

export interface Symptom {
  readonly kind: SymptomKind;
  readonly value: string;
}

export interface Boost {
  readonly postId: number;
  readonly person: Person;
  readonly at: number;
  /** What the person has this on; empty when not said. */
  readonly os: string;
  readonly hardware: string;
}

/** One run of one side of a case, kept for ever: "still true?" is decided from these rows. */
export interface CaseRunRow {
  readonly id: number;
  readonly caseId: string;
  readonly side: "bad" | "good";
  readonly seed: number;
  readonly drydockVersion: string;
  /** What the casebook and the core consisted of when it ran, 16 hexadecimal digits. */
  readonly build: string;
  /** `error`: the run itself broke off; then `result` says how. */
  readonly verdict: "succeeded" | "failed" | "error";
  readonly result: string;
  readonly traceDigest: string;
  readonly wallMs: number;
  readonly at: number;
}

export interface Tag {
  readonly slug: string;
  readonly posts: number;
}
