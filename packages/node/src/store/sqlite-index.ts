// The board's index of words in SQLite: FTS5, without copies of the texts, and its check against them.

import type { Symptom } from "@drydock/board/records";
import { symptomWords } from "./board-rows.ts";
import { all, type Indexed, isBeginning, run, type Talk, type WordAsk, type WordIndex } from "./sql-talk.ts";
import type { SqliteConnection } from "./sqlite.ts";

function matchOf({ words, isBegun, isNarrow }: WordAsk): string {
  const parts = words.map((word, index) => {
    const quoted = `"${word.replaceAll('"', "")}"`;
    return isBegun && isBeginning(words, index) ? `${quoted}*` : quoted;
  });
  return `${isNarrow ? "{title symptoms}: " : ""}(${parts.join(" ")})`;
}

export const sqliteIndex: WordIndex = {
  *putPost(id, { title, plain, symptoms }) {
    yield* run("DELETE FROM post_fts WHERE rowid = ?", id);
    yield* run(
      "INSERT INTO post_fts (rowid, title, body, symptoms) VALUES (?, ?, ?, ?)",
      id,
      title,
      plain,
      symptoms,
    );
  },
  *putReply(id, plain) {
    yield* run("DELETE FROM reply_fts WHERE rowid = ?", id);
    yield* run("INSERT INTO reply_fts (rowid, body) VALUES (?, ?)", id, plain);
  },
  *drop(of, id) {
    yield* run(`DELETE FROM ${tableOf(of)} WHERE rowid = ?`, id);
  },
  *newest(of, ask, limit) {
    const table = tableOf(of);
    const rows = yield* all(
      `SELECT rowid AS id FROM ${table} WHERE ${table} MATCH ? ORDER BY rowid DESC LIMIT ${limit}`,
      matchOf(ask),
    );
    return rows.map((row) => Number(row.id));
  },
  *ranked(ask): Talk<{ id: number; rank: number }[]> {
    const rows = yield* all(
      "SELECT rowid AS id, bm25(post_fts, 4.0, 1.0, 6.0) AS rank FROM post_fts WHERE post_fts MATCH ?",
      matchOf(ask),
    );
    return rows.map((row) => ({ id: Number(row.id), rank: Number(row.rank) }));
  },
};

const tableOf = (of: Indexed): string => (of === "post" ? "post_fts" : "reply_fts");

/** Faults of the file, of its references and of its index, one line each. */
export function sqliteFaults(connection: SqliteConnection): string[] {
  const faults: string[] = [];
  const verdict = String(connection.pragma("integrity_check(10)"));
  if (verdict !== "ok") faults.push(`integrity: ${verdict}`);
  for (const row of connection.all("PRAGMA foreign_key_check"))
    faults.push(`foreign key: ${JSON.stringify(row)}`);
  return [...faults, ...indexFaults(connection)];
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
        "SELECT p.id, p.title, b.plain, (SELECT string_agg(t.tag, ' ') FROM post_tag t WHERE t.post_id = p.id) AS tags FROM post p JOIN body b ON b.id = p.body_id WHERE p.state <> 'deleted'",
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
