// Counts a board again: counters against the counted rows, and what must point at what.

import { all, type Talk } from "./sql-talk.ts";

const counts: readonly (readonly [what: string, sql: string])[] = [
  [
    "replies",
    `SELECT id, replies, counted FROM (SELECT p.id, p.replies, (SELECT count(*) FROM reply r WHERE r.post_id = p.id
     AND r.state = 'shown') AS counted FROM post p) c WHERE replies <> counted`,
  ],
  [
    "boosts",
    `SELECT id, boosts, counted FROM (SELECT p.id, p.boosts, (SELECT count(*) FROM boost s WHERE s.post_id = p.id)
     AS counted FROM post p) c WHERE boosts <> counted`,
  ],
  [
    "views fewer than seen",
    `SELECT id, views, counted FROM (SELECT p.id, p.views, (SELECT count(*) FROM view_seen v WHERE v.post_id = p.id)
     AS counted FROM post p) c WHERE views < counted`,
  ],
  [
    "tag count",
    `SELECT slug, posts, counted FROM (SELECT t.slug, t.posts, (SELECT count(*) FROM post_tag w WHERE w.tag = t.slug)
     AS counted FROM tag t) c WHERE posts <> counted`,
  ],
  [
    "posts of a topic",
    `SELECT slug, posts, counted FROM (SELECT t.slug, t.posts, (SELECT count(*) FROM post p WHERE p.topic_id = t.id
     AND p.listed = 1) AS counted FROM topic t) c WHERE posts <> counted`,
  ],
  [
    "listed",
    `SELECT id, listed FROM post
     WHERE listed <> CASE WHEN pinned = 0 AND state NOT IN ('hidden', 'deleted') THEN 1 ELSE 0 END`,
  ],
  [
    "accepted",
    `SELECT p.id, p.accepted_reply_id FROM post p WHERE p.accepted_reply_id IS NOT NULL AND NOT EXISTS
     (SELECT 1 FROM reply r WHERE r.id = p.accepted_reply_id AND r.post_id = p.id AND r.state = 'shown')`,
  ],
  [
    "revision of the shown version",
    `SELECT p.id FROM post p WHERE NOT EXISTS (SELECT 1 FROM revision v WHERE v.of_kind = 'post' AND v.of_id = p.id
     AND v.version = p.version AND v.body_id = p.body_id)`,
  ],
];

/** Empty when everything agrees; otherwise one line a fault. Reads everything: minutes on a large board. */
export function* countFaults(): Talk<string[]> {
  const faults: string[] = [];
  for (const [what, sql] of counts)
    for (const row of yield* all(`${sql} LIMIT 10`)) faults.push(`${what}: ${JSON.stringify(row)}`);
  return faults;
}
