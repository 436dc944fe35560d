// Who acts on a board, what they may do, and how much of it.

import type { ActLimit } from "./board-store.ts";
import type { PersonState } from "./people-store.ts";
import type { Person } from "./records.ts";
import { BoardRefusal } from "./refusal.ts";

/** Somebody who is signed in; on a board for one, its owner. */
export interface Visitor extends Person {
  readonly state: PersonState;
  /** Null: the owner of a board for one, who hurts nobody. */
  readonly limits: "new" | "known" | null;
}

const dayMs = 86_400_000;
export const writeGapMs = 5_000;
export const newcomersDay = { post: 3, reply: 20 } as const;

export const mayModerate = (who: Person | null): boolean =>
  who !== null && (who.role === "moderator" || who.role === "owner");

export const mayEdit = (who: Person | null, author: Person): boolean =>
  who !== null && (who.id === author.id || mayModerate(who));

export function tooMany(code: string, text: string, waitMs: number): BoardRefusal {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new BoardRefusal("too_many", code, `${text} Try again in ${spanOf(seconds)}.`, null, seconds);
}

function spanOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
}

/** Throws BoardRefusal: signed out, or banned. */
export function mustBeActive(who: Visitor | null): Visitor {
  if (who === null) throw new BoardRefusal("signed_out", "sign-in", "Sign in first: nothing was changed.");
  if (who.state !== "active")
    throw new BoardRefusal(
      "forbidden",
      "banned",
      "This account may read, not write: nothing was changed. Why stands under your name.",
    );
  return who;
}

/** How much of it: one post or reply in five seconds, and a newcomer's day. */
export function limitsOf(who: Visitor, act: "post" | "reply"): ActLimit[] {
  if (who.limits === null) return [];
  const gap = {
    name: `write ${who.id}`,
    gapMs: writeGapMs,
    code: "write-gap",
    text: "One post or reply in five seconds.",
  };
  if (who.limits === "known") return [gap];
  const most = newcomersDay[act];
  const text = `A new account has ${most} ${act === "post" ? "posts" : "replies"} a day.`;
  return [gap, { name: `${act} ${who.id}`, most, windowMs: dayMs, code: `new-${act}`, text }];
}
