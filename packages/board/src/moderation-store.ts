// The port below moderation: what a store promises of flags, acts and their log. Every method is one transaction.

import type { Person, Role } from "./records.ts";

/** What can be flagged and hidden. */
export type Flagged = "post" | "reply";

/** A thing that people flagged and nobody has decided on: one row a flag, oldest first. */
export interface FlagRow {
  readonly id: number;
  readonly of: Flagged;
  readonly ofId: number;
  /** The post that it is, or stands below. */
  readonly postId: number;
  readonly title: string;
  readonly excerpt: string;
  readonly author: Person;
  readonly by: Person;
  readonly reason: string;
  readonly at: number;
}

export type ModerationAct =
  | "hide"
  | "show"
  | "dismiss"
  | "lock"
  | "unlock"
  | "move"
  | "merge"
  | "ban"
  | "unban"
  | "role"
  | "know"
  | "unknow";

export interface LogRow {
  readonly id: number;
  readonly at: number;
  readonly actor: Person;
  readonly act: ModerationAct;
  readonly of: Flagged | "person";
  readonly ofId: number;
  /** Null for acts on a person. */
  readonly postId: number | null;
  /** Whom it concerns: the author, or the person. */
  readonly subject: Person;
  readonly reason: string;
  /** What changed: "drivers to usb", "into 12", "writer to engineer". */
  readonly detail: string;
}

/** Who does it and why; `at` in milliseconds UTC. */
export interface ActBy {
  readonly actorId: number;
  readonly reason: string;
  readonly at: number;
}

/** Every act writes its row of the log in the same transaction, and tells the one whom it concerns. */
export interface ModerationStore {
  /** `again`: this person has flagged it and nobody has decided yet. */
  flag(
    of: Flagged,
    id: number,
    by: { readonly personId: number; readonly reason: string; readonly at: number },
  ): Promise<"missing" | "again" | "done">;
  queue(after: number, limit: number): Promise<FlagRow[]>;
  /** Things with a flag that waits. */
  waiting(): Promise<number>;
  /** Out of lists, search and pages, with its flags decided. False when it is not there or hidden already. */
  hide(of: Flagged, id: number, act: ActBy): Promise<boolean>;
  /** As it was before. False when it is not hidden. */
  show(of: Flagged, id: number, act: ActBy): Promise<boolean>;
  /** Decides its flags: nothing is wrong with it. False when none waits. */
  dismiss(of: Flagged, id: number, act: ActBy): Promise<boolean>;
  /** No more answers and edits but a moderator's. False when nothing changes. */
  lock(postId: number, isLocked: boolean, act: ActBy): Promise<boolean>;
  move(postId: number, topicId: number, act: ActBy): Promise<boolean>;
  /**
   * Makes a post a duplicate of another: boosts and watchers move, and what pointed at it points on. Answers the post
   * that it now leads to, which is the end of any chain. `circle`: that end is the post itself.
   */
  merge(postId: number, into: number, act: ActBy): Promise<"missing" | "circle" | number>;
  /** False when there is no such account, or nothing changes; the same for the two below. */
  ban(personId: number, isBanned: boolean, act: ActBy): Promise<boolean>;
  setRole(personId: number, role: Role, act: ActBy): Promise<boolean>;
  setKnown(personId: number, isKnown: boolean, act: ActBy): Promise<boolean>;
  /** Newest first; `subject`: only what concerns this person. */
  log(ask: {
    readonly subject: number | null;
    readonly before: number | null;
    readonly limit: number;
  }): Promise<LogRow[]>;
  /** The newest act of a kind on a thing: why it is hidden, why somebody is banned. */
  latest(of: Flagged | "person", id: number, act: ModerationAct): Promise<LogRow | null>;
}
