// The port below watching: who is told of what, and what they were told. Every method is one transaction.

import type { Person } from "./records.ts";

export type Watched = "post" | "topic";

/** `post`: new in a watched topic. The rest happened to a watched post, or to what is one's own. */
export type NoticeKind =
  | "post"
  | "answer"
  | "comment"
  | "accepted"
  | "merged"
  | "hidden"
  | "shown"
  | "locked"
  | "moved"
  | "evidence"
  | "person";

export interface Notice {
  readonly id: number;
  readonly kind: NoticeKind;
  /** Null where it is about the person. */
  readonly postId: number | null;
  readonly replyId: number | null;
  readonly title: string;
  readonly actor: Person;
  readonly at: number;
  readonly isRead: boolean;
}

export interface WatchRow {
  readonly of: Watched;
  readonly id: number;
  readonly title: string;
}

export interface WatchStore {
  /** False when there is no such thing. Again changes nothing. */
  watch(personId: number, of: Watched, id: number, at: number): Promise<boolean>;
  unwatch(personId: number, of: Watched, id: number): Promise<void>;
  isWatching(personId: number, of: Watched, id: number): Promise<boolean>;
  watched(personId: number, limit: number): Promise<WatchRow[]>;
  /** Newest first; only of what is there for everybody. */
  notices(personId: number, before: number | null, limit: number): Promise<Notice[]>;
  unread(personId: number): Promise<number>;
  /** Up to and with this notice. */
  read(personId: number, upTo: number): Promise<void>;
  /** The hash of a secret address of one's notices, in the place of the one before; null takes it away. */
  setFeed(personId: number, hash: string | null): Promise<void>;
  /** Whose notices this secret opens; null when nobody's. */
  feedOf(hash: string): Promise<number | null>;
  /** Forgets notices from before `at`. */
  forgetNotices(at: number): Promise<void>;
}
