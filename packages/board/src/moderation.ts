// Moderation: who may do what to whom, with a reason, in a log that only grows. The store below keeps it.

import type { Board } from "./board.ts";
import { titleOf } from "./field-rules.ts";
import type { ActBy, Flagged, FlagRow, LogRow, ModerationStore } from "./moderation-store.ts";
import type { Account } from "./people-store.ts";
import type { Role } from "./records.ts";
import { BoardRefusal, notFound } from "./refusal.ts";
import { mayModerate, mustBeActive, tooMany, type Visitor } from "./visitor.ts";

export const rowsOfQueue = 50;
const flagsOfDay = 20;
const dayMs = 86_400_000;

/** Roles that an owner gives; `project` is nobody's. */
export const givenRoles: readonly Role[] = ["reader", "writer", "engineer", "moderator", "owner"];

export class Moderation {
  readonly #board: Board;
  readonly store: ModerationStore;

  constructor(board: Board) {
    this.#board = board;
    this.store = board.store.moderation;
  }

  #moderator(): Visitor {
    const who = mustBeActive(this.#board.actor);
    if (!mayModerate(who))
      throw new BoardRefusal(
        "forbidden",
        "not-moderator",
        "Only moderators may do this: nothing was changed.",
      );
    return who;
  }

  #act(reason: string): ActBy {
    return { actorId: this.#moderator().id, reason: reasonOf(reason), at: this.#board.now() };
  }

  /** Anybody who may write, once a thing. Throws BoardRefusal. */
  async flag(of: Flagged, id: number, reason: string): Promise<void> {
    const who = mustBeActive(this.#board.actor);
    const told = reasonOf(reason);
    await this.#mustSee(of, id);
    const now = this.#board.now();
    if (who.limits !== null) {
      const wait = await this.#board.store.accounts.take({
        name: `flag ${who.id}`,
        most: flagsOfDay,
        windowMs: dayMs,
        now,
      });
      if (wait > 0) throw tooMany("flags", `An account flags ${flagsOfDay} things a day.`, wait);
    }
    const answer = await this.store.flag(of, id, { personId: who.id, reason: told, at: now });
    if (answer === "missing") throw notFound(of);
    if (answer === "again")
      throw new BoardRefusal("conflict", "flagged", "You have flagged this: a moderator will look at it.");
  }

  async #mustSee(of: Flagged, id: number): Promise<void> {
    const found = of === "post" ? await this.#board.post(id) : await this.#board.reply(id);
    if (found.state === "deleted") throw notFound(of);
  }

  async queue(after: number): Promise<FlagRow[]> {
    this.#moderator();
    return await this.store.queue(after, rowsOfQueue + 1);
  }

  async hide(of: Flagged, id: number, reason: string): Promise<void> {
    if (!(await this.store.hide(of, id, this.#act(reason)))) throw notFound(of);
  }

  async show(of: Flagged, id: number, reason: string): Promise<void> {
    if (!(await this.store.show(of, id, this.#act(reason)))) throw notFound(of);
  }

  async dismiss(of: Flagged, id: number, reason: string): Promise<void> {
    if (!(await this.store.dismiss(of, id, this.#act(reason)))) throw notFound("flag");
  }

  async lock(postId: number, isLocked: boolean, reason: string): Promise<void> {
    if (!(await this.store.lock(postId, isLocked, this.#act(reason)))) throw notFound("post");
  }

  async move(postId: number, topicSlug: string, reason: string): Promise<void> {
    const act = this.#act(reason);
    const topic = await this.#board.topic(topicSlug);
    if (!(await this.store.move(postId, topic.id, act)))
      throw new BoardRefusal("conflict", "not-moved", "The post is there already, or is gone.", "topic");
  }

  /** Answers the post that it leads to. */
  async merge(postId: number, into: number, reason: string): Promise<number> {
    const answer = await this.store.merge(postId, into, this.#act(reason));
    if (answer === "missing") throw notFound("post");
    if (answer === "circle")
      throw new BoardRefusal(
        "invalid",
        "merge-circle",
        "That post leads to this one: merge it the other way.",
        "into",
      );
    return answer;
  }

  /** A moderator bans writers and engineers; an owner everybody but owners. */
  async ban(handle: string, isBanned: boolean, reason: string): Promise<void> {
    const act = this.#act(reason);
    const person = await this.#person(handle);
    this.#mustBeAbove(person);
    if (!(await this.store.ban(person.id, isBanned, act)))
      throw new BoardRefusal(
        "conflict",
        "no-change",
        `This account is ${isBanned ? "banned" : "not banned"} already.`,
      );
  }

  /** Owners give roles. The last owner stays one. */
  async setRole(handle: string, role: string, reason: string): Promise<void> {
    const act = this.#act(reason);
    if (this.#moderator().role !== "owner")
      throw new BoardRefusal("forbidden", "not-owner", "Only owners give roles: nothing was changed.");
    if (!(givenRoles as readonly string[]).includes(role))
      throw new BoardRefusal("invalid", "bad-role", `A role is one of ${givenRoles.join(", ")}.`, "role");
    const person = await this.#person(handle);
    if (person.role === "owner" && role !== "owner" && (await this.#board.store.accounts.owners()) <= 1)
      throw new BoardRefusal(
        "conflict",
        "last-owner",
        "The last owner stays one: make another first.",
        "role",
      );
    if (!(await this.store.setRole(person.id, role as Role, act)))
      throw new BoardRefusal("conflict", "no-change", "This account has that role already.", "role");
  }

  /** What acts would bring in time, by a moderator's word at once; or taken back. */
  async setKnown(handle: string, isKnown: boolean, reason: string): Promise<void> {
    const act = this.#act(reason);
    const person = await this.#person(handle);
    this.#mustBeAbove(person);
    if (!(await this.store.setKnown(person.id, isKnown, act)))
      throw new BoardRefusal(
        "conflict",
        "no-change",
        `This account is ${isKnown ? "known" : "new"} already.`,
      );
  }

  async #person(handle: string): Promise<Account> {
    const person = await this.#board.store.accounts.byHandle(handle.trim().toLowerCase().slice(0, 40));
    if (person === null || person.state === "deleted" || person.role === "project") throw notFound("person");
    return person;
  }

  #mustBeAbove(person: Account): void {
    const who = this.#moderator();
    const isAbove = who.role === "owner" ? person.role !== "owner" : !mayModerate(person);
    if (!isAbove)
      throw new BoardRefusal(
        "forbidden",
        "not-below",
        "This person's role is as high as yours: nothing was changed.",
      );
  }

  /** The whole log, for moderators. */
  async log(before: number | null): Promise<LogRow[]> {
    this.#moderator();
    return await this.store.log({ subject: null, before, limit: rowsOfQueue + 1 });
  }

  /** What concerns oneself: also for the banned. */
  async ownLog(before: number | null): Promise<LogRow[]> {
    const { actor } = this.#board;
    if (actor === null) throw new BoardRefusal("signed_out", "sign-in", "Sign in first.");
    return await this.store.log({ subject: actor.id, before, limit: rowsOfQueue + 1 });
  }
}

function reasonOf(text: string): string {
  if (text.trim() === "")
    throw new BoardRefusal(
      "invalid",
      "reason-empty",
      "Say why, in a line: whom it concerns will read it.",
      "reason",
    );
  try {
    return titleOf(text);
  } catch {
    throw new BoardRefusal("invalid", "reason-long", "A reason has at most 150 characters.", "reason");
  }
}
