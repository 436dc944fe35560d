// The board's index of words in PostgreSQL: words cut as SQLite's unicode61 cuts them, so both find the same.

import { symptomsOf } from "./board-parts.ts";
import { symptomWords } from "./board-rows.ts";
import { all, type Indexed, isBeginning, run, type Talk, type WordAsk, type WordIndex } from "./sql-talk.ts";

/** What only PostgreSQL says this way: a topic's count, and the index of words. */
export const firstOfPostgres = `
CREATE FUNCTION drydock_topic_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE topic SET posts = posts + NEW.listed WHERE id = NEW.topic_id;
  ELSE
    UPDATE topic SET posts = posts + NEW.listed - OLD.listed WHERE id = NEW.topic_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER post_comes AFTER INSERT ON post FOR EACH ROW EXECUTE FUNCTION drydock_topic_posts();
CREATE TRIGGER post_changes AFTER UPDATE OF listed ON post FOR EACH ROW WHEN (NEW.listed <> OLD.listed)
  EXECUTE FUNCTION drydock_topic_posts();
CREATE TABLE post_words (id BIGINT PRIMARY KEY REFERENCES post(id), words TSVECTOR NOT NULL);
CREATE INDEX post_words_words ON post_words USING gin (words);
CREATE TABLE reply_words (id BIGINT PRIMARY KEY REFERENCES reply(id), words TSVECTOR NOT NULL);
CREATE INDEX reply_words_words ON reply_words USING gin (words);
`;

/** PostgreSQL refuses words of 2 KiB; nobody types one. */
const longestWord = 200;
/** The last place that a tsvector can tell. */
const lastPlace = 16_383;

/** Letters, digits and the underscore, in lower case and without marks on letters (sqlite.org/fts5.html §4.3.1). */
function wordsOf(text: string): string[] {
  const folded = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return (folded.match(/[\p{L}\p{N}\p{Co}_]+/gu) ?? []).map((word) => word.slice(0, longestWord));
}

/** The words of texts as a tsvector's text; words are letters, digits and underscores, so nothing needs a quote. */
function vectorOf(texts: readonly (readonly [text: string, weight: "A" | "D"])[]): string {
  const places = new Map<string, string[]>();
  let place = 0;
  for (const [text, weight] of texts) {
    for (const word of wordsOf(text)) {
      place = Math.min(place + 1, lastPlace);
      const those = places.get(word) ?? [];
      those.push(`${place}${weight}`);
      places.set(word, those);
    }
    // No phrase reaches from one text into the next.
    place += 10;
  }
  return [...places].map(([word, those]) => `'${word}':${those.join(",")}`).join(" ");
}

const postVector = ({ title, plain, symptoms }: { title: string; plain: string; symptoms: string }): string =>
  vectorOf([
    [title, "A"],
    [symptoms, "A"],
    [plain, "D"],
  ]);

/** Null: nothing that a text could have. */
function queryOf({ words, isBegun, isNarrow }: WordAsk): string | null {
  const parts: string[] = [];
  for (const [index, word] of words.entries()) {
    const cut = wordsOf(word);
    const marks = `${isNarrow ? "A" : ""}${isBegun && isBeginning(words, index) ? "*" : ""}`;
    parts.push(
      cut
        .map((part, at) => {
          const own = at === cut.length - 1 ? marks : marks.replace("*", "");
          return `'${part}'${own === "" ? "" : `:${own}`}`;
        })
        .join(" <-> "),
    );
  }
  const asked = parts.filter((part) => part !== "");
  return asked.length === 0 ? null : asked.map((part) => `(${part})`).join(" & ");
}

const tableOf = (of: Indexed): string => (of === "post" ? "post_words" : "reply_words");

function put(of: Indexed, id: number, vector: string): Talk<number> {
  return run(
    `INSERT INTO ${tableOf(of)} (id, words) VALUES (?, ?::tsvector) ON CONFLICT (id) DO UPDATE SET words = excluded.words`,
    id,
    vector,
  );
}

export const postgresIndex: WordIndex = {
  *putPost(id, texts) {
    yield* put("post", id, postVector(texts));
  },
  *putReply(id, plain) {
    yield* put("reply", id, vectorOf([[plain, "D"]]));
  },
  *drop(of, id) {
    yield* run(`DELETE FROM ${tableOf(of)} WHERE id = ?`, id);
  },
  *newest(of, ask, limit) {
    const query = queryOf(ask);
    if (query === null) return [];
    const rows = yield* all(
      `SELECT id FROM ${tableOf(of)} WHERE words @@ ?::tsquery ORDER BY id DESC LIMIT ${limit}`,
      query,
    );
    return rows.map((row) => Number(row.id));
  },
  *ranked(ask): Talk<{ id: number; rank: number }[]> {
    const query = queryOf(ask);
    if (query === null) return [];
    const rows = yield* all(
      "SELECT w.id, ts_rank('{0.1, 0.2, 0.4, 1.0}', w.words, q) AS rank FROM post_words w, CAST(? AS tsquery) q WHERE w.words @@ q",
      query,
    );
    return rows.map((row) => ({ id: Number(row.id), rank: -10 * Number(row.rank) }));
  },
};

const postsAtOnce = 200;

/** Cuts every text again and compares its words with those in the index. */
export function* postgresIndexFaults(): Talk<string[]> {
  const faults: string[] = [];
  for (let after = 0; ; ) {
    const rows = yield* all(
      `SELECT p.id, p.title, b.plain, w.words::text AS words,
       (SELECT string_agg(t.tag, ' ') FROM post_tag t WHERE t.post_id = p.id) AS tags
       FROM post p JOIN body b ON b.id = p.body_id LEFT JOIN post_words w ON w.id = p.id
       WHERE p.id > ? AND p.state <> 'deleted' ORDER BY p.id LIMIT ${postsAtOnce}`,
      after,
    );
    for (const row of rows) {
      after = Number(row.id);
      const tags = row.tags === null ? [] : String(row.tags).split(" ");
      const vector = postVector({
        title: String(row.title),
        plain: String(row.plain),
        symptoms: symptomWords(yield* symptomsOf(after), tags),
      });
      const same = yield* all(
        "SELECT 1 AS same WHERE ?::tsvector = ?::tsvector",
        String(row.words ?? ""),
        vector,
      );
      if (same.length === 0) faults.push(`index of post ${after} is not that of its text`);
    }
    if (rows.length < postsAtOnce) break;
  }
  for (let after = 0; ; ) {
    const rows = yield* all(
      `SELECT r.id, b.plain, w.words::text AS words FROM reply r JOIN body b ON b.id = r.body_id
       LEFT JOIN reply_words w ON w.id = r.id WHERE r.id > ? AND r.state = 'shown' ORDER BY r.id LIMIT ${postsAtOnce}`,
      after,
    );
    for (const row of rows) {
      after = Number(row.id);
      const same = yield* all(
        "SELECT 1 AS same WHERE ?::tsvector = ?::tsvector",
        String(row.words ?? ""),
        vectorOf([[String(row.plain), "D"]]),
      );
      if (same.length === 0) faults.push(`index of reply ${after} is not that of its text`);
    }
    if (rows.length < postsAtOnce) break;
  }
  for (const row of yield* all(
    `SELECT 'post' AS kind, w.id FROM post_words w JOIN post p ON p.id = w.id WHERE p.state = 'deleted'
     UNION ALL SELECT 'reply', w.id FROM reply_words w JOIN reply r ON r.id = w.id WHERE r.state = 'deleted' LIMIT 10`,
  ))
    faults.push(`index has words of a deleted ${row.kind}: ${row.id}`);
  return faults;
}
