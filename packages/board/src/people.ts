// People of a board: how they come in, how they are known again, and how they leave. Secrets are kept as hashes only.

import { titleOf } from "./field-rules.ts";
import type { Account, PeopleStore, Session } from "./people-store.ts";
import { BoardRefusal } from "./refusal.ts";
import { tooMany, type Visitor } from "./visitor.ts";

/** What the host's cryptography does; the domain has none of its own. */
export interface Secrets {
  /** Fresh random bytes as base64url. */
  token(bytes: number): string;
  /** SHA-256 as base64url. */
  hash(text: string): string;
  /** Slow on purpose. Throws BoardRefusal when too many wait. */
  hashPassword(text: string): Promise<string>;
  /** The same work whether there is a hash or none. */
  isPassword(text: string, hash: string | null): Promise<boolean>;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
export const sessionLivesMs = 30 * dayMs;
/** A session's "last seen" is written no more often. */
const seenEveryMs = 10 * 60_000;
const ownerLinkLivesMs = dayMs;
const wrongOfAccount = 5;
const wrongOfAddress = 20;
const longestDelayMs = 15 * 60_000;
const signUpsOfAddress = 20;
/** Younger accounts, and those with fewer texts that somebody known took up, are new. */
const newcomerMs = dayMs;
const textsTakenUp = 2;

export interface KnownVisitor {
  readonly account: Account;
  readonly session: Session;
}

export class People {
  readonly store: PeopleStore;
  readonly #secrets: Secrets;
  readonly #now: () => number;

  constructor(store: PeopleStore, secrets: Secrets, now: () => number) {
    this.store = store;
    this.#secrets = secrets;
    this.#now = now;
  }

  /** Checks a new account's names. Throws BoardRefusal; a taken handle is told apart, as any list of people tells it. */
  names(handle: string, shownName: string): { handle: string; shownName: string } {
    const cut = handle.trim().toLowerCase();
    if (!/^[a-z0-9](?:[a-z0-9-]{1,28})[a-z0-9]$/.test(cut) || /^deleted-/.test(cut))
      throw new BoardRefusal(
        "invalid",
        "handle-form",
        "A handle has 3 to 30 lower-case letters, digits or hyphens, and begins and ends with a letter or a digit.",
        "handle",
      );
    return { handle: cut, shownName: shownName.trim() === "" ? cut : titleOf(shownName).slice(0, 60) };
  }

  /** A new account without a way in yet: the caller gives it one. Throws BoardRefusal. */
  async signUp(handle: string, shownName: string, address: string): Promise<Account> {
    const names = this.names(handle, shownName);
    const now = this.#now();
    const wait = await this.store.take({
      name: `sign-up ${address}`,
      most: signUpsOfAddress,
      windowMs: dayMs,
      now,
    });
    if (wait > 0) throw tooMany("sign-ups", "Too many new accounts from this network today.", wait);
    const account = await this.store.add(names.handle, names.shownName, "writer", now);
    if (account === null)
      throw new BoardRefusal(
        "invalid",
        "handle-taken",
        "This handle is taken: choose another one.",
        "handle",
      );
    return account;
  }

  /** Throws BoardRefusal. */
  mustBePassword(password: string): void {
    const length = [...password].length;
    if (length < 12 || length > 128)
      throw new BoardRefusal(
        "invalid",
        "password-length",
        "A password has 12 to 128 characters; four words that do not belong together are a good one.",
        "password",
      );
  }

  async setPassword(account: Account, password: string): Promise<void> {
    this.mustBePassword(password);
    await this.store.setPassword(account.id, await this.#secrets.hashPassword(password), this.#now());
  }

  /** One answer and one cost for a wrong password and for nobody of that name. Throws BoardRefusal. */
  async signIn(handle: string, password: string, address: string): Promise<Account> {
    const now = this.#now();
    const name = handle.trim().toLowerCase().slice(0, 40);
    for (const [who, most] of [
      [`wrong of ${name}`, wrongOfAccount],
      [`wrong from ${address}`, wrongOfAddress],
    ] as const) {
      const used = await this.store.taken({ name: who, windowMs: hourMs, now });
      if (used < most) continue;
      // Never a lock-out: each further try waits longer than the one before.
      const gapMs = Math.min(longestDelayMs, 5_000 * 2 ** Math.min(20, used - most));
      const wait = await this.store.space({ name: `try ${who}`, gapMs, now });
      if (wait > 0) throw tooMany("wrong-passwords", "Too many wrong passwords.", wait);
    }
    const account = await this.store.byHandle(name);
    // Asked for nobody, too: the same statements and the same hash, whoever has an account.
    const hash = await this.store.passwordHash(account?.id ?? 0);
    const isRight = await this.#secrets.isPassword(password, hash);
    if (account === null || !isRight) {
      for (const who of [`wrong of ${name}`, `wrong from ${address}`]) {
        await this.store.take({ name: who, most: 10_000, windowMs: hourMs, now });
        await this.store.space({ name: `try ${who}`, gapMs: 0, now });
      }
      throw new BoardRefusal("forbidden", "wrong", "No account has this handle and password.");
    }
    return account;
  }

  /** Answers the token for the browser; the store gets its hash. */
  async openSession(account: Account, agent: string): Promise<string> {
    const token = this.#secrets.token(32);
    const now = this.#now();
    await this.store.addSession({
      id: this.#secrets.hash(token),
      personId: account.id,
      createdAt: now,
      seenAt: now,
      expiresAt: now + sessionLivesMs,
      agent: agent.replace(/[^\x20-\x7e]/g, " ").slice(0, 200),
    });
    return token;
  }

  async who(token: string): Promise<KnownVisitor | null> {
    if (!/^[\w-]{43}$/.test(token)) return null;
    const now = this.#now();
    const session = await this.store.session(this.#secrets.hash(token), now);
    if (session === null) return null;
    let account = await this.store.byId(session.personId);
    if (account === null || account.state === "deleted") return null;
    if (await this.#isKnownNow(account, now)) {
      await this.store.setKnown(account.id, now);
      account = { ...account, isKnown: true };
    }
    if (now - session.seenAt >= seenEveryMs) await this.store.seen(session.id, now);
    return { account, session };
  }

  /** A day old, and two texts of theirs answered, boosted or accepted by somebody known. */
  async #isKnownNow(account: Account, now: number): Promise<boolean> {
    if (account.isKnown || account.state !== "active" || now - account.createdAt < newcomerMs) return false;
    return (await this.store.cared(account.id)) >= textsTakenUp;
  }

  visitor({ account }: KnownVisitor): Visitor {
    return { ...account, limits: account.isKnown ? "known" : "new" };
  }

  /** A word that makes its bearer the owner, once, for a day; earlier ones are good no more. */
  async ownerLink(): Promise<string> {
    const token = this.#secrets.token(32);
    await this.store.dropTickets("owner");
    await this.store.putTicket(this.#secrets.hash(token), "owner", "", this.#now() + ownerLinkLivesMs);
    return token;
  }

  async useOwnerLink(token: string): Promise<void> {
    const value = await this.store.takeTicket(this.#secrets.hash(token.slice(0, 100)), "owner", this.#now());
    if (value === null)
      throw new BoardRefusal(
        "missing",
        "owner-link",
        "This link was used, is over, or was replaced by a newer one. A new one: drydock board owner-link",
      );
  }

  /** Texts stay as a deleted person's. The last owner cannot go while there is a board. */
  async leave(account: Account): Promise<void> {
    if (account.role === "owner" && (await this.store.owners()) <= 1)
      throw new BoardRefusal(
        "conflict",
        "last-owner",
        "The last owner of a board cannot leave it: make another one first.",
      );
    await this.store.remove(account.id);
  }
}
