// The parts that writes to the board share: texts with their revisions, tags, symptoms, the index, names in an export.

import { slugOf } from "@drydock/board/field-rules";
import type { OriginRow, Symptom } from "@drydock/board/records";
import { symptomWords } from "./board-rows.ts";
import { all, get, insert, run, type Talk, type WordIndex } from "./sql-talk.ts";

/** By the number that the next post gets: a digit first, so no name of a device on any system. */
export function* freeFolder(title: string): Talk<string> {
  const last = yield* get("SELECT max(id) AS seq FROM post");
  const base = `${String(Number(last?.seq ?? 0) + 1).padStart(5, "0")}-${slugOf(title)}`.replace(/-$/, "");
  for (let more = 1; ; more++) {
    const folder = more === 1 ? base : `${base}-${more}`;
    if ((yield* get("SELECT 1 AS found FROM post WHERE folder = ?", folder)) === undefined) return folder;
  }
}

export function* nextFile(postId: number): Talk<string> {
  const last = yield* get("SELECT max(file) AS file FROM reply WHERE post_id = ?", postId);
  const number = Number.parseInt(String(last?.file ?? "0"), 10) + 1;
  return `${String(number).padStart(6, "0")}.md`;
}

export function* addBody(markdown: string, plain: string): Talk<number> {
  return yield* insert("INSERT INTO body (markdown, plain) VALUES (?, ?)", markdown, plain);
}

export function* addRevision(
  kind: "post" | "reply",
  id: number,
  version: number,
  title: string | null,
  bodyId: number,
  editorId: number,
  at: number,
): Talk<void> {
  yield* run(
    "INSERT INTO revision (of_kind, of_id, version, title, body_id, editor_id, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    kind,
    id,
    version,
    title,
    bodyId,
    editorId,
    at,
  );
}

export function* emptyBodies(kind: "post" | "reply", id: number): Talk<void> {
  yield* run(
    "UPDATE body SET markdown = '', plain = '' WHERE id IN (SELECT body_id FROM revision WHERE of_kind = ? AND of_id = ?)",
    kind,
    id,
  );
}

export function* setTags(postId: number, tags: readonly string[]): Talk<void> {
  const before = yield* tagsOf(postId);
  for (const tag of before) {
    if (tags.includes(tag)) continue;
    yield* run("DELETE FROM post_tag WHERE tag = ? AND post_id = ?", tag, postId);
    yield* run("UPDATE tag SET posts = posts - 1 WHERE slug = ?", tag);
  }
  for (const tag of tags) {
    if (before.includes(tag)) continue;
    yield* run("INSERT INTO post_tag (tag, post_id) VALUES (?, ?)", tag, postId);
    yield* run(
      "INSERT INTO tag (slug, posts) VALUES (?, 1) ON CONFLICT (slug) DO UPDATE SET posts = tag.posts + 1",
      tag,
    );
  }
}

/** `replyId`: the reply that they stand in, 0 for the post's own text. */
export function* setSymptoms(postId: number, replyId: number, symptoms: readonly Symptom[]): Talk<void> {
  yield* run("DELETE FROM post_symptom WHERE post_id = ? AND reply_id = ?", postId, replyId);
  for (const { kind, value } of symptoms) {
    yield* run("INSERT INTO symptom (kind, value) VALUES (?, ?) ON CONFLICT DO NOTHING", kind, value);
    const row = yield* get("SELECT id FROM symptom WHERE kind = ? AND value = ?", kind, value);
    yield* run(
      "INSERT INTO post_symptom (symptom_id, post_id, reply_id) VALUES (?, ?, ?)",
      Number(row?.id),
      postId,
      replyId,
    );
  }
}

export function* symptomsOf(postId: number): Talk<Symptom[]> {
  const rows = yield* all(
    `SELECT s.kind, s.value FROM post_symptom w CROSS JOIN symptom s ON s.id = w.symptom_id WHERE w.post_id = ? AND w.reply_id = 0
     ORDER BY s.kind, s.value`,
    postId,
  );
  return rows.map((row) => ({ kind: row.kind as Symptom["kind"], value: String(row.value) }));
}

/** The post's symptoms and tags are in their tables already. */
export function* indexPost(index: WordIndex, id: number, title: string, plain: string): Talk<void> {
  const symptoms = symptomWords(yield* symptomsOf(id), yield* tagsOf(id));
  yield* index.putPost(id, { title, plain, symptoms });
}

function* tagsOf(postId: number): Talk<string[]> {
  const rows = yield* all("SELECT tag FROM post_tag WHERE post_id = ?", postId);
  return rows.map((row) => String(row.tag));
}

export function* setOrigin(postId: number, origin: OriginRow): Talk<void> {
  yield* run(
    `INSERT INTO origin (post_id, position, title, replies, boosts, views, activity) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (post_id) DO UPDATE SET position = excluded.position, title = excluded.title, replies = excluded.replies,
     boosts = excluded.boosts, views = excluded.views, activity = excluded.activity`,
    postId,
    origin.position,
    origin.title,
    origin.replies,
    origin.boosts,
    origin.views,
    origin.activity,
  );
}
