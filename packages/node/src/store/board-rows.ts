// Rows of the board's tables as records.

import type { CaseRunRow, OriginRow, Person, PostRow, Reply, Symptom } from "@drydock/board/records";
import { symptomText } from "@drydock/board/symptoms";
import type { Row } from "./sql-talk.ts";

export const personColumns = "a.id AS person_id, a.handle, a.shown_name, a.role, a.trusted_at";
/** What a list shows of a post, in one query. */
export const postColumns = `p.id, p.topic_id, p.kind, p.title, p.state, p.duplicate_of, p.accepted_reply_id, p.case_id,
  p.pinned, p.locked, p.created_at, p.activity_at, p.replies, p.boosts, p.views, p.source, p.folder, p.body_id, p.version,
  substr(b.plain, 1, 280) AS excerpt, (SELECT string_agg(t.tag, ' ') FROM post_tag t WHERE t.post_id = p.id) AS tags,
  o.position AS origin_position, o.title AS origin_title, o.replies AS origin_replies, o.boosts AS origin_boosts,
  o.views AS origin_views, o.activity AS origin_activity, ${personColumns}`;
export const postTables = `post p CROSS JOIN person a ON a.id = p.author_id CROSS JOIN body b ON b.id = p.body_id
  LEFT JOIN origin o ON o.post_id = p.id`;

export const orNull = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value);
const textOrNull = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);

export function personOf(row: Row): Person {
  return {
    id: Number(row.person_id),
    handle: String(row.handle),
    shownName: String(row.shown_name),
    role: row.role as Person["role"],
    isKnown: row.trusted_at !== null && row.trusted_at !== undefined,
  };
}

export function postRowOf(row: Row): PostRow {
  return {
    id: Number(row.id),
    topicId: Number(row.topic_id),
    author: personOf(row),
    kind: row.kind as PostRow["kind"],
    title: String(row.title),
    state: row.state as PostRow["state"],
    duplicateOf: orNull(row.duplicate_of),
    acceptedReplyId: orNull(row.accepted_reply_id),
    caseId: textOrNull(row.case_id),
    isPinned: Number(row.pinned) === 1,
    isLocked: Number(row.locked) === 1,
    createdAt: Number(row.created_at),
    activityAt: Number(row.activity_at),
    replies: Number(row.replies),
    boosts: Number(row.boosts),
    views: Number(row.views),
    source: row.source as PostRow["source"],
    folder: String(row.folder),
    bodyId: Number(row.body_id),
    version: Number(row.version),
    excerpt: String(row.excerpt),
    tags: row.tags === null ? [] : String(row.tags).split(" ").sort(),
    origin: originOf(row),
  };
}

function originOf(row: Row): OriginRow | null {
  if (row.origin_position === null || row.origin_position === undefined) return null;
  return {
    position: Number(row.origin_position),
    title: String(row.origin_title),
    replies: Number(row.origin_replies),
    boosts: Number(row.origin_boosts),
    views: Number(row.origin_views),
    activity: String(row.origin_activity),
  };
}

export function replyOf(row: Row): Reply {
  return {
    id: Number(row.id),
    postId: Number(row.post_id),
    parentId: orNull(row.parent_id),
    author: personOf(row),
    kind: row.kind as Reply["kind"],
    state: row.state as Reply["state"],
    createdAt: Number(row.created_at),
    version: Number(row.version),
    bodyId: Number(row.body_id),
    markdown: String(row.markdown),
    source: row.source as Reply["source"],
    file: String(row.file),
  };
}

export function caseRunOf(row: Row): CaseRunRow {
  return {
    id: Number(row.id),
    caseId: String(row.case_id),
    side: row.side as CaseRunRow["side"],
    seed: Number(row.seed),
    drydockVersion: String(row.drydock_version),
    build: String(row.build),
    verdict: row.verdict as CaseRunRow["verdict"],
    result: String(row.result),
    traceDigest: String(row.trace_digest),
    wallMs: Number(row.wall_ms),
    at: Number(row.at),
  };
}

/** What the index knows of a post's symptoms and tags, in one order. */
export function symptomWords(symptoms: readonly Symptom[], tags: readonly string[]): string {
  return [...symptoms.map((symptom) => symptomText(symptom)), ...tags].sort().join(" ");
}
