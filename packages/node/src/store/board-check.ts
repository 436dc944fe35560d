// Counts a board again: counters against the counted rows, the index against the texts.

import type { Symptom } from "@drydock/board/records";
import { symptomWords } from "./board-rows.ts";
import type { SqliteConnection } from "./sqlite.ts";

/** Empty when everything agrees; otherwise one line a fault. Reads everything: minutes on a large board. */
export function checkBoard(connection: SqliteConnection): string[] {
  const faults: string[] = [];
  const expectNone = (what: string, sql: string) => {
    for (const row of connection.all(`${sql} LIMIT 10`)) faults.push(`${what}: ${JSON.stringify(row)}`);
  };
  const verdict = String(connection.pragma("integrity_check(10)"));
  if (verdict !== "ok") faults.push(`integrity: ${verdict}`);
  for (const row of connection.all("PRAGMA foreign_key_check"))
    faults.push(`foreign key: ${JSON.stringify(row)}`);
  expectNone(
    "replies",
    `SELECT p.id, p.replies, (SELECT count(*) FROM reply r WHERE r.post_id = p.id AND r.state = 'shown') AS counted
     FROM post p WHERE p.replies <> counted`,
  );
  expectNone(
    "boosts",
    "SELECT p.id, p.boosts, (SELECT count(*) FROM boost s WHERE s.post_id = p.id) AS counted FROM post p WHERE p.boosts <> counted",
  );
  expectNone(
    "views fewer than seen",
    `SELECT p.id, p.views, (SELECT count(*) FROM view_seen v WHERE v.post_id = p.id) AS counted FROM post p WHERE p.views < counted`,
  );
  expectNone(
    "tag count",
    "SELECT t.slug, t.posts, (SELECT count(*) FROM post_tag w WHERE w.tag = t.slug) AS counted FROM tag t WHERE t.posts <> counted",
  );
  expectNone(
    "posts of a topic",
    "SELECT t.slug, t.posts, (SELECT count(*) FROM post p WHERE p.topic_id = t.id AND p.listed = 1) AS counted FROM topic t WHERE t.posts <> counted",
  );
  expectNone(
    "listed",
    "SELECT id, listed FROM post WHERE listed <> (pinned = 0 AND state NOT IN ('hidden', 'deleted'))",
  );
  expectNone(
    "accepted",
    `SELECT p.id, p.accepted_reply_id FROM post p WHERE p.accepted_reply_id IS NOT NULL AND NOT EXISTS
     (SELECT 1 FROM reply r WHERE r.id = p.accepted_reply_id AND r.post_id = p.id AND r.state = 'shown')`,
  );
  expectNone(
    "revision of the shown version",
    `SELECT p.id FROM post p WHERE NOT EXISTS (SELECT 1 FROM revision v WHERE v.of_kind = 'post' AND v.of_id = p.id
     AND v.version = p.version AND v.body_id = p.body_id)`,
  );
  faults.push(...indexFaults(connection));
  return faults;
}

/** Builds the index again beside the old one and compares every word, place by place. */
function indexFaults(connection: SqliteConnection): string[] {
  const faults: string[] = [];
  connection.exec(`
    CREATE VIRTUAL TABLE temp.post_again USING fts5(title, body, symptoms, content='', contentless_delete=1, tokenize="unicode61 tokenchars '_'");
    CREATE VIRTUAL TABLE temp.reply_again USING fts5(body, content='', contentless_delete=1, tokenize="unicode61 tokenchars '_'");
    CREATE VIRTUAL TABLE temp.post_words USING fts5vocab('main', 'post_fts', 'instance');
    CREATE VIRTUAL TABLE temp.post_words_again USING fts5vocab('temp', 'post_again', 'instance');
    CREATE VIRTUAL TABLE temp.reply_words USING fts5vocab('main', 'reply_fts', 'instance');
    CREATE VIRTUAL TABLE temp.reply_words_again USING fts5vocab('temp', 'reply_again', 'instance');
  `);
  try {
    const symptoms = new Map<number, Symptom[]>();
    for (const row of connection.all(
      "SELECT w.post_id, s.kind, s.value FROM post_symptom w JOIN symptom s ON s.id = w.symptom_id WHERE w.reply_id = 0",
    )) {
      const id = Number(row.post_id);
      const those = symptoms.get(id) ?? [];
      those.push({ kind: row.kind as Symptom["kind"], value: String(row.value) });
      symptoms.set(id, those);
    }
    connection.write(() => {
      for (const row of connection.all(
        "SELECT p.id, p.title, b.plain, (SELECT group_concat(t.tag, ' ') FROM post_tag t WHERE t.post_id = p.id) AS tags FROM post p JOIN body b ON b.id = p.body_id WHERE p.state <> 'deleted'",
      ))
        connection.run(
          "INSERT INTO temp.post_again (rowid, title, body, symptoms) VALUES (?, ?, ?, ?)",
          Number(row.id),
          String(row.title),
          String(row.plain),
          symptomWords(
            symptoms.get(Number(row.id)) ?? [],
            row.tags === null ? [] : String(row.tags).split(" "),
          ),
        );
      connection.run(
        "INSERT INTO temp.reply_again (rowid, body) SELECT r.id, b.plain FROM reply r JOIN body b ON b.id = r.body_id WHERE r.state = 'shown'",
      );
    });
    for (const kind of ["post", "reply"])
      for (const [left, right] of [
        [`${kind}_words`, `${kind}_words_again`],
        [`${kind}_words_again`, `${kind}_words`],
      ])
        for (const row of connection.all(
          `SELECT * FROM temp.${left} EXCEPT SELECT * FROM temp.${right} LIMIT 5`,
        ))
          faults.push(`index, ${left} only: ${JSON.stringify(row)}`);
  } finally {
    for (const table of [
      "post_words",
      "post_words_again",
      "reply_words",
      "reply_words_again",
      "post_again",
      "reply_again",
    ])
      connection.exec(`DROP TABLE temp.${table}`);
  }
  return faults;
}
