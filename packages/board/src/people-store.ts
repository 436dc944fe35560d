// The port below people: what a store keeps of accounts; secrets as hashes only. Every method is one transaction.

import type { Person, Role } from "./records.ts";

/** `banned`: reads, and may read why; `deleted`: a name for what they wrote, nothing more. */
export type PersonState = "active" | "banned" | "deleted";

export interface Account extends Person {
  readonly state: PersonState;
  readonly createdAt: number;
}

export interface Passkey {
  readonly id: number;
  readonly personId: number;
  /** As the authenticator calls it, base64url. */
  readonly passkeyId: string;
  readonly publicKey: Uint8Array;
  readonly signCount: number;
  readonly transports: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

export interface Session {
  /** SHA-256 of the token that the browser holds, base64url: names the session, opens nothing. */
  readonly id: string;
  readonly personId: number;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
  /** The browser's name for itself. */
  readonly agent: string;
}

export interface PeopleStore {
  /** Null when the handle is taken. */
  add(handle: string, shownName: string, role: Role, at: number): Promise<Account | null>;
  byId(id: number): Promise<Account | null>;
  byHandle(handle: string): Promise<Account | null>;
  /** Newest first, before this id; `words`: in the handle or the name, as typed. */
  list(words: string, before: number | null, limit: number): Promise<Account[]>;
  setName(id: number, shownName: string): Promise<boolean>;
  /** Texts of this person that somebody known has answered, boosted or accepted; counted to ten. */
  cared(id: number): Promise<number>;
  /** Known from now on, by such acts. */
  setKnown(id: number, at: number): Promise<void>;
  /** What they wrote stays, under no name; keys, passwords and sessions go. False when there is no such account. */
  remove(id: number): Promise<boolean>;
  /** Accounts that can sign in as owner. */
  owners(): Promise<number>;

  /** False when this passkey is known already. */
  addPasskey(passkey: Omit<Passkey, "id" | "lastUsedAt">): Promise<boolean>;
  passkey(passkeyId: string): Promise<Passkey | null>;
  passkeys(personId: number): Promise<Passkey[]>;
  usePasskey(id: number, signCount: number, at: number): Promise<void>;
  removePasskey(personId: number, id: number): Promise<boolean>;
  /** In the place of the one before; null takes it away. */
  setPassword(personId: number, hash: string | null, at: number): Promise<void>;
  passwordHash(personId: number): Promise<string | null>;

  addSession(session: Session): Promise<void>;
  /** Null when it is over. */
  session(id: string, now: number): Promise<Session | null>;
  seen(id: string, at: number): Promise<void>;
  sessions(personId: number, now: number): Promise<Session[]>;
  endSession(personId: number, id: string): Promise<boolean>;
  /** All but the given one. */
  endSessions(personId: number, but: string | null): Promise<void>;

  /** Something that is good for one use until then. */
  putTicket(id: string, kind: string, value: string, expiresAt: number): Promise<void>;
  /** Its value, once; null when it is spent, over, or was never there. */
  takeTicket(id: string, kind: string, now: number): Promise<string | null>;
  /** Tickets of a kind are good no more. */
  dropTickets(kind: string): Promise<void>;

  /** Takes one of `most` in this window of time: 0, or the milliseconds until the next window. */
  take(limit: { name: string; most: number; windowMs: number; now: number }): Promise<number>;
  /** Lets one through every `gapMs`: 0, or the milliseconds that are left. */
  space(limit: { name: string; gapMs: number; now: number }): Promise<number>;
  /** How many were taken in this window. */
  taken(limit: { name: string; windowMs: number; now: number }): Promise<number>;
  /** Forgets sessions, tickets and limits whose time is over. */
  forget(now: number): Promise<void>;
}
