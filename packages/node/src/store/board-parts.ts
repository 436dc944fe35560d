// The parts that writes to the board share: texts with their revisions, tags, symptoms, the index, names in an export.

import { slugOf } from "@drydock/board/field-rules";
import type { OriginRow, Symptom } from "@drydock/board/records";
import { symptomWords } from "./board-rows.ts";
import type { SqliteConnection } from "./sqlite.ts";

/** By the number that the next post gets: a digit first, so no name of a device on any system. */
export function freeFolder(connection: SqliteConnection, title: string): string {
  const last = connection.get("SELECT seq FROM sqlite_sequence WHERE name = 'post'");
  const base = `${String(Number(last?.seq ?? 0) + 1).padStart(5, "0")}-${slugOf(title)}`.replace(/-$/, "");
  for (let more = 1; ; more++) {
    const folder = more === 1 ? base : `${base}-${more}`;
    if (connection.get("SELECT 1 AS found FROM post WHERE folder = ?", folder) === undefined) return folder;
  }
}

export function nextFile(connection: SqliteConnection, postId: number): string {
  const last = connection.get("SELECT max(file) AS file FROM reply WHERE post_id = ?", postId);
  const number = Number.parseInt(String(last?.file ?? "0"), 10) + 1;
  return `${String(number).padStart(6, "0")}.md`;
}

export function addBody(connection: SqliteConnection, markdown: string, plain: string): number {
  return connection.run("INSERT INTO body (markdown, plain) VALUES (?, ?)", markdown, plain).lastId;
}

export function addRevision(
  connection: SqliteConnection,
  kind: "post" | "reply",
  id: number,
  version: number,
  title: string | null,
  bodyId: number,
  editorId: number,
  at: number,
): void {
  connection.run(
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

export function emptyBodies(connection: SqliteConnection, kind: "post" | "reply", id: number): void {
  connection.run(
    "UPDATE body SET markdown = '', plain = '' WHERE id IN (SELECT body_id FROM revision WHERE of_kind = ? AND of_id = ?)",
    kind,
    id,
  );
}

export function setTags(connection: SqliteConnection, postId: number, tags: readonly string[]): void {
  const before = tagsOf(connection, postId);
  for (const tag of before) {
    if (tags.includes(tag)) continue;
    connection.run("DELETE FROM post_tag WHERE tag = ? AND post_id = ?", tag, postId);
    connection.run("UPDATE tag SET posts = posts - 1 WHERE slug = ?", tag);
  }
  for (const tag of tags) {
    if (before.includes(tag)) continue;
    connection.run("INSERT INTO post_tag (tag, post_id) VALUES (?, ?)", tag, postId);
    connection.run(
      "INSERT INTO tag (slug, posts) VALUES (?, 1) ON CONFLICT (slug) DO UPDATE SET posts = posts + 1",
      tag,
    );
  }
}

/** `replyId`: the reply that they stand in, 0 for the post's own text. */
export function setSymptoms(
  connection: SqliteConnection,
  postId: number,
  replyId: number,
  symptoms: readonly Symptom[],
): void {
  connection.run("DELETE FROM post_symptom WHERE post_id = ? AND reply_id = ?", postId, replyId);
  for (const { kind, value } of symptoms) {
    connection.run("INSERT INTO symptom (kind, value) VALUES (?, ?) ON CONFLICT DO NOTHING", kind, value);
    connection.run(
      "INSERT INTO post_symptom (symptom_id, post_id, reply_id) SELECT id, ?, ? FROM symptom WHERE kind = ? AND value = ?",
      postId,
      replyId,
      kind,
      value,
    );
  }
}

export function symptomsOf(connection: SqliteConnection, postId: number): Symptom[] {
  return connection
    .all(
      `SELECT s.kind, s.value FROM post_symptom w CROSS JOIN symptom s ON s.id = w.symptom_id WHERE w.post_id = ? AND w.reply_id = 0
       ORDER BY s.kind, s.value`,
      postId,
    )
    .map((row) => ({ kind: row.kind as Symptom["kind"], value: String(row.value) }));
}

/** The post's symptoms and tags are in their tables already. */
export function indexPost(connection: SqliteConnection, id: number, title: string, plain: string): void {
  connection.run("DELETE FROM post_fts WHERE rowid = ?", id);
  connection.run(
    "INSERT INTO post_fts (rowid, title, body, symptoms) VALUES (?, ?, ?, ?)",
    id,
    title,
    plain,
    symptomWords(symptomsOf(connection, id), tagsOf(connection, id)),
  );
}

function tagsOf(connection: SqliteConnection, postId: number): string[] {
  return connection.all("SELECT tag FROM post_tag WHERE post_id = ?", postId).map((row) => String(row.tag));
}

export function setOrigin(connection: SqliteConnection, postId: number, origin: OriginRow): void {
  connection.run(
    "INSERT OR REPLACE INTO origin (post_id, position, title, replies, boosts, views, activity) VALUES (?, ?, ?, ?, ?, ?, ?)",
    postId,
    origin.position,
    origin.title,
    origin.replies,
    origin.boosts,
    origin.views,
    origin.activity,
  );
}
