// What people say of a post by one act: I have this too, this answers it, it is the same as another.

import type { BoardStore } from "@drydock/board/board-store";
import { takeCare, tellPerson, watchFromNow } from "./board-notices.ts";
import { get, run, type Talk } from "./sql-talk.ts";

export const isVisible = (state: unknown): boolean => state !== "hidden" && state !== "deleted";

export function* isThere(postId: number): Talk<boolean> {
  const row = yield* get("SELECT state FROM post WHERE id = ?", postId);
  return row !== undefined && isVisible(row.state);
}

export function* boostTalk(boost: Parameters<BoardStore["boost"]>[0]): Talk<boolean> {
  const post = yield* get("SELECT author_id, state FROM post WHERE id = ?", boost.postId);
  if (post === undefined || !isVisible(post.state)) return false;
  const by = { id: boost.personId, isKnown: boost.isByKnown === true };
  yield* takeCare("post", boost.postId, Number(post.author_id), by);
  if (boost.isTold === true) yield* watchFromNow(boost.personId, "post", boost.postId, boost.at);
  const changes = yield* run(
    "INSERT INTO boost (post_id, person_id, at, os, hardware) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    boost.postId,
    boost.personId,
    boost.at,
    boost.os,
    boost.hardware,
  );
  if (changes === 1) yield* run("UPDATE post SET boosts = boosts + 1 WHERE id = ?", boost.postId);
  else
    yield* run(
      "UPDATE boost SET os = ?, hardware = ? WHERE post_id = ? AND person_id = ?",
      boost.os,
      boost.hardware,
      boost.postId,
      boost.personId,
    );
  return true;
}

export function* unboostTalk(postId: number, personId: number): Talk<boolean> {
  const changes = yield* run("DELETE FROM boost WHERE post_id = ? AND person_id = ?", postId, personId);
  if (changes === 1) yield* run("UPDATE post SET boosts = boosts - 1 WHERE id = ?", postId);
  return changes === 1;
}

export function* acceptTalk(
  postId: number,
  replyId: number | null,
  at: number,
  by?: { readonly id: number; readonly isKnown: boolean },
): Talk<boolean> {
  if (!(yield* isThere(postId))) return false;
  if (replyId !== null) {
    const reply = yield* get(
      "SELECT author_id FROM reply WHERE id = ? AND post_id = ? AND kind = 'answer' AND state = 'shown'",
      replyId,
      postId,
    );
    if (reply === undefined) return false;
    if (by !== undefined) {
      const authorId = Number(reply.author_id);
      yield* takeCare("reply", replyId, authorId, by);
      yield* tellPerson(authorId, { kind: "accepted", postId, replyId, actorId: by.id, at });
    }
  }
  yield* run(
    `UPDATE post SET accepted_reply_id = ?, state = CASE WHEN state = 'duplicate' THEN state ELSE ? END,
   activity_at = max(activity_at, ?) WHERE id = ?`,
    replyId,
    replyId === null ? "open" : "solved",
    at,
    postId,
  );
  return true;
}

export function* duplicateTalk(postId: number, of: number | null, at: number): Talk<boolean> {
  if (!(yield* isThere(postId)) || (of !== null && !(yield* isThere(of)))) return false;
  const state =
    of === null ? "CASE WHEN accepted_reply_id IS NULL THEN 'open' ELSE 'solved' END" : "'duplicate'";
  yield* run(
    `UPDATE post SET duplicate_of = ?, state = ${state}, activity_at = max(activity_at, ?) WHERE id = ?`,
    of,
    at,
    postId,
  );
  return true;
}
