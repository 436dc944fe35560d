// Who is told of an act, in its transaction: those who watch, never the one who acts; and acts that make people known.

import type { NoticeKind, Watched } from "@drydock/board/watch-store";
import { run, type Talk } from "./sql-talk.ts";

export interface News {
  readonly kind: NoticeKind;
  readonly postId: number | null;
  readonly replyId: number | null;
  readonly actorId: number;
  readonly at: number;
}

const columns = "(person_id, kind, post_id, reply_id, actor_id, at)";

/** Whoever watches this. */
export function* tellWatchers(of: Watched, id: number, news: News): Talk<void> {
  yield* run(
    `INSERT INTO notice ${columns} SELECT w.person_id, ?, ?, ?, ?, ? FROM watch w
     WHERE w.of_kind = ? AND w.of_id = ? AND w.person_id <> ?`,
    news.kind,
    news.postId,
    news.replyId,
    news.actorId,
    news.at,
    of,
    id,
    news.actorId,
  );
}

/** Whom it concerns. */
export function* tellPerson(personId: number, news: News): Talk<void> {
  if (personId === news.actorId) return;
  yield* run(
    `INSERT INTO notice ${columns} VALUES (?, ?, ?, ?, ?, ?)`,
    personId,
    news.kind,
    news.postId,
    news.replyId,
    news.actorId,
    news.at,
  );
}

export function* watchFromNow(personId: number, of: Watched, id: number, at: number): Talk<void> {
  yield* run(
    "INSERT INTO watch (person_id, of_kind, of_id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    personId,
    of,
    id,
    at,
  );
}

/** Somebody known took up what this person wrote. Once a text, and nobody for oneself. */
export function* takeCare(
  of: "post" | "reply",
  id: number,
  authorId: number,
  by: { readonly id: number; readonly isKnown: boolean },
): Talk<void> {
  if (!by.isKnown || by.id === authorId) return;
  yield* run(
    "INSERT INTO care (person_id, of_kind, of_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    authorId,
    of,
    id,
  );
}
