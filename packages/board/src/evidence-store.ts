// The port below evidence: redacted files of posts, the doctor's reading, their end. Each method is one transaction.

import type { Person, Symptom } from "./records.ts";

/**
 * `draft`: seen by its owner alone, gone after a day. `waiting`: on a post, from somebody new, and neither the doctor nor
 * a person who is known has recognised it yet. `deleted`: its place, without a byte of it.
 */
export type EvidenceState = "draft" | "waiting" | "shown" | "deleted";

export interface Evidence {
  readonly id: number;
  /** Null while it is a draft. */
  readonly postId: number | null;
  /** The answer or comment of that post that it belongs to; null: the post itself. */
  readonly replyId: number | null;
  readonly owner: Person;
  /** Redacted too. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Lines in which something was replaced, and the first of them as JSON, for the page that shows them. */
  readonly marks: number;
  readonly marked: string;
  /** What was rewritten, and what no longer verifies. */
  readonly notes: readonly string[];
  readonly state: EvidenceState;
  readonly createdAt: number;
  /** The doctor's reading that it was part of. */
  readonly readingId: number;
}

/** What the doctor said of files that came together. */
export interface EvidenceReading {
  readonly id: number;
  /** It knows a cause. */
  readonly isKnown: boolean;
  /** Answers as the page shows them, as JSON. */
  readonly cards: string;
  readonly symptoms: readonly Symptom[];
}

export type NewEvidence = Pick<Evidence, "name" | "sha256" | "marks" | "marked" | "notes"> & {
  readonly bytes: Uint8Array;
};

export interface EvidencePlace {
  readonly postId: number;
  /** A reply of that post; left out: the post itself. */
  readonly replyId?: number | null;
}

export interface EvidenceStore {
  /** Answers their ids. */
  addDrafts(
    ownerId: number,
    files: readonly NewEvidence[],
    reading: Omit<EvidenceReading, "id">,
    at: number,
  ): Promise<number[]>;
  /** Of these the drafts of this person. */
  drafts(ownerId: number, ids: readonly number[]): Promise<Evidence[]>;
  /**
   * Drafts of this person become a post's, or one of its replies', with the reading's symptoms. `isShown`: for everybody at
   * once; else what the doctor did not know waits. Answers how many; null when the post or the reply is not there.
   */
  attach(
    to: EvidencePlace,
    ownerId: number,
    ids: readonly number[],
    isShown: boolean,
    at: number,
  ): Promise<number | null>;
  /** Of the post and of its replies, in order of arrival; deleted ones as their place. */
  ofPost(postId: number): Promise<Evidence[]>;
  one(id: number): Promise<Evidence | null>;
  bytes(id: number): Promise<Uint8Array | null>;
  reading(id: number): Promise<EvidenceReading | null>;
  /** Somebody known has looked: it waits no more. False when it does not wait. */
  release(id: number, actorId: number, at: number): Promise<boolean>;
  /** For good: when this has answered, the database's files hold no byte of it (PostgreSQL: none that it would give out). */
  remove(id: number): Promise<boolean>;
  /** What this person handed in, drafts too. */
  removeOf(personId: number): Promise<void>;
  /** Drafts from before. */
  forgetDrafts(before: number): Promise<void>;
  /** What a process that was ended in mid-way had deleted, and had not taken out of the files yet. */
  scrub(): Promise<void>;
}
