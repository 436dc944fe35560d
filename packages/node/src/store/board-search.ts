// Search in the board's database: words by its index, symptoms by their own table, filters last, best first.

import type { SearchAsk, SearchHit } from "@drydock/board/board-store";
import type { PostRow, Symptom } from "@drydock/board/records";
import { returnCodeForms } from "@drydock/board/symptoms";
import { postColumns, postRowOf, postTables } from "./board-rows.ts";
import { all, type Indexed, type SqlValue, type Talk, type WordIndex } from "./sql-talk.ts";

/** Ranked are the newest matches: without this bound two words that stand in every post cost a rank of every post. */
const rankedMatches = 2000;
const rowsAtOnce = 100;
/** Scores are kept as integers, so that a place in the result fits an address: bm25 is a small negative number. */
const scaled = (rank: number): number => Math.round((1000 + rank) * 1e9);
/** What a match weighs where words are not weighed: a reply says less about the post than its own text. */
const commonRank = -0.5;
const replyRank = -0.25;

export function* searchBoard(index: WordIndex, ask: SearchAsk): Talk<SearchHit[]> {
  const scores = yield* candidates(index, ask);
  const order = [...scores].sort(([leftId, left], [rightId, right]) => left - right || rightId - leftId);
  const { after } = ask;
  const rest =
    after === null
      ? order
      : order.filter(([id, score]) => score > after.key || (score === after.key && id < after.id));
  const hits: SearchHit[] = [];
  for (let from = 0; from < rest.length && hits.length < ask.limit; from += rowsAtOnce) {
    const piece = rest.slice(from, from + rowsAtOnce);
    const found = yield* rowsOf(
      piece.map(([id]) => id),
      ask,
    );
    const rows = new Map(found.map((row) => [row.id, row]));
    for (const [id, score] of piece) {
      const row = rows.get(id);
      if (row !== undefined && hits.length < ask.limit) hits.push({ ...row, score });
    }
  }
  return hits;
}

/** Post id to score, lower is better. */
function* candidates(index: WordIndex, ask: SearchAsk): Talk<Map<number, number>> {
  const byWords = ask.words.length === 0 ? null : yield* wordMatches(index, ask.words);
  let found = byWords;
  for (const symptom of ask.symptoms) {
    const ids = yield* symptomMatches(symptom);
    if (found === null) found = new Map(ids.map((id) => [id, scaled(0)]));
    else {
      const kept = new Set(ids);
      found = new Map([...found].filter(([id]) => kept.has(id)));
    }
  }
  if (found === null) return new Map();
  if (byWords === null) yield* preferTitles(ask.symptoms, found);
  return found;
}

/** Posts that have all words in one text, or else in question and answers together. */
function* wordMatches(index: WordIndex, words: readonly string[]): Talk<Map<number, number>> {
  const found = yield* textMatches(index, words);
  if (found.size > 0 || words.length === 1) return found;
  let all: Map<number, number> | null = null;
  for (const word of words) {
    const these: Map<number, number> = yield* textMatches(index, [word]);
    if (all === null) all = these;
    else {
      const sums = new Map<number, number>();
      for (const [id, score] of all) {
        const other = these.get(id);
        if (other !== undefined) sums.set(id, score + other - scaled(0));
      }
      all = sums;
    }
    if (all.size === 0) break;
  }
  return all ?? found;
}

function* textMatches(index: WordIndex, words: readonly string[]): Talk<Map<number, number>> {
  const found = new Map<number, number>();
  const keep = (id: number, score: number) => {
    const known = found.get(id);
    if (known === undefined || score < known) found.set(id, score);
  };
  const exact = { words, isBegun: false, isNarrow: false };
  const begun = { words, isBegun: true, isNarrow: false };
  // A beginning costs all places of all words that it begins: only where the words themselves are not often enough.
  function* enough(of: Indexed) {
    const ids = yield* index.newest(of, exact, rankedMatches);
    return ids.length >= rankedMatches
      ? { ask: exact, ids }
      : { ask: begun, ids: yield* index.newest(of, begun, rankedMatches) };
  }
  const { ids, ask } = yield* enough("post");
  if (ids.length < rankedMatches) {
    for (const { id, rank } of yield* index.ranked(ask)) keep(id, scaled(commonRank + rank));
  } else {
    // Words that stand nearly everywhere weigh nothing, and to weigh them reads every place where they stand.
    for (const id of ids) keep(id, scaled(commonRank));
    for (const id of yield* index.newest("post", { ...ask, isNarrow: true }, rankedMatches))
      keep(id, scaled(2 * commonRank));
  }
  // Posts that fill the bound alone leave replies only what is cheap to find.
  const inReplies =
    ids.length >= rankedMatches
      ? yield* index.newest("reply", exact, rankedMatches)
      : (yield* enough("reply")).ids;
  for (let from = 0; from < inReplies.length; from += rowsAtOnce)
    for (const row of yield* all(
      "SELECT r.post_id AS id FROM json_each(?) j CROSS JOIN reply r ON r.id = j.value",
      JSON.stringify(inReplies.slice(from, from + rowsAtOnce)),
    ))
      keep(Number(row.id), scaled(replyRank));
  return found;
}

function* symptomMatches({ kind, value }: Symptom): Talk<number[]> {
  const rows = yield* all(
    `SELECT w.post_id AS id FROM symptom s CROSS JOIN post_symptom w ON w.symptom_id = s.id
     WHERE s.kind = ? AND s.value = ? GROUP BY w.post_id ORDER BY w.post_id DESC LIMIT ${rankedMatches}`,
    kind,
    value,
  );
  return rows.map((row) => Number(row.id));
}

/** A post whose title names the symptom, or that has a case which shows it, comes before one that mentions it. */
function* preferTitles(symptoms: readonly Symptom[], found: Map<number, number>): Talk<void> {
  const ids = [...found.keys()];
  for (let from = 0; from < ids.length; from += rowsAtOnce) {
    const rows = yield* all(
      "SELECT p.id, p.title, p.case_id, p.boosts FROM json_each(?) j CROSS JOIN post p ON p.id = j.value",
      JSON.stringify(ids.slice(from, from + rowsAtOnce)),
    );
    for (const row of rows) {
      const title = String(row.title).toLowerCase();
      const named = symptoms.filter((symptom) =>
        formsOf(symptom).some((form) => title.includes(form.toLowerCase())),
      ).length;
      const weight =
        8 * named + (row.case_id === null ? 0 : 4) + Math.min(3, Math.log2(1 + Number(row.boosts)) / 4);
      found.set(Number(row.id), scaled(-weight));
    }
  }
}

function formsOf({ kind, value }: Symptom): string[] {
  if (kind !== "io_return") return [value];
  const { hex, decimal, names } = returnCodeForms(value);
  return [hex, decimal, ...names];
}

function* rowsOf(ids: readonly number[], ask: SearchAsk): Talk<PostRow[]> {
  const where: string[] = ["p.state NOT IN ('hidden', 'deleted')"];
  const values: SqlValue[] = [JSON.stringify(ids)];
  const filter = (clause: string, ...given: (string | number)[]) => {
    where.push(clause);
    values.push(...given);
  };
  if (ask.topicId !== null) filter("p.topic_id = ?", ask.topicId);
  if (ask.state !== null) filter("p.state = ?", ask.state);
  if (ask.hasAnswer) filter("p.replies > 0");
  if (ask.hasCase) filter("p.case_id IS NOT NULL");
  if (ask.tag !== null)
    filter("EXISTS (SELECT 1 FROM post_tag w WHERE w.tag = ? AND w.post_id = p.id)", ask.tag);
  if (ask.os !== null)
    filter("EXISTS (SELECT 1 FROM boost s WHERE s.os = ? AND s.os <> '' AND s.post_id = p.id)", ask.os);
  const rows = yield* all(
    `SELECT ${postColumns} FROM json_each(?) j CROSS JOIN ${postTables} WHERE p.id = j.value AND ${where.join(" AND ")}`,
    ...values,
  );
  return rows.map(postRowOf);
}
