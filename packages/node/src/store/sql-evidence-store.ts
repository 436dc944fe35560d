// Evidence over SQL: redacted bytes in a table of their own, so that their end is the end of a row and its pages.

import type {
  Evidence,
  EvidencePlace,
  EvidenceReading,
  EvidenceState,
  EvidenceStore,
  NewEvidence,
} from "@drydock/board/evidence-store";
import type { Symptom } from "@drydock/board/records";
import { isThere } from "./board-boosts.ts";
import { tellPerson } from "./board-notices.ts";
import { setSymptoms } from "./board-parts.ts";
import { orNull, personColumns, personOf } from "./board-rows.ts";
import { all, get, insert, type Row, run, type SqlDatabase, type Talk } from "./sql-talk.ts";

const query = `SELECT e.id, e.post_id, e.reply_id, e.name, e.size_bytes, e.sha256, e.marks, e.marked, e.notes, e.state, e.created_at,
  e.reading_id, ${personColumns} FROM evidence e CROSS JOIN person a ON a.id = e.owner_id`;

export class SqlEvidenceStore implements EvidenceStore {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  addDrafts(
    ownerId: number,
    files: readonly NewEvidence[],
    reading: Omit<EvidenceReading, "id">,
    at: number,
  ): Promise<number[]> {
    return this.#database.write(
      (function* () {
        const readingId = yield* insert(
          "INSERT INTO reading (is_known, cards, symptoms) VALUES (?, ?, ?)",
          reading.isKnown ? 1 : 0,
          reading.cards,
          JSON.stringify(reading.symptoms),
        );
        const ids: number[] = [];
        for (const { name, bytes, sha256, marks, marked, notes } of files) {
          const id = yield* insert(
            `INSERT INTO evidence (owner_id, reading_id, name, size_bytes, sha256, marks, marked, notes, state, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'draft', ?)`,
            ownerId,
            readingId,
            name,
            bytes.length,
            sha256,
            marks,
            marked,
            JSON.stringify(notes),
            at,
          );
          yield* run("INSERT INTO evidence_bytes (evidence_id, bytes) VALUES (?, ?)", id, bytes);
          ids.push(id);
        }
        return ids;
      })(),
    );
  }

  async drafts(ownerId: number, ids: readonly number[]): Promise<Evidence[]> {
    const rows = await this.#database.rows(
      `${query} CROSS JOIN json_each(?) j WHERE e.id = j.value AND e.owner_id = ? AND e.state = 'draft' ORDER BY e.id`,
      JSON.stringify(ids),
      ownerId,
    );
    return rows.map(evidenceOf);
  }

  attach(
    { postId, replyId = null }: EvidencePlace,
    ownerId: number,
    ids: readonly number[],
    isShown: boolean,
    at: number,
  ): Promise<number | null> {
    return this.#database.write(
      (function* () {
        if (!(yield* isThere(postId))) return null;
        if (replyId !== null && !(yield* isReplyOf(postId, replyId))) return null;
        let count = 0;
        for (const id of ids) {
          const row = yield* get(
            `SELECT r.is_known, r.symptoms FROM evidence e CROSS JOIN reading r ON r.id = e.reading_id
             WHERE e.id = ? AND e.owner_id = ? AND e.state = 'draft'`,
            id,
            ownerId,
          );
          if (row === undefined) continue;
          const state = isShown || Number(row.is_known) === 1 ? "shown" : "waiting";
          yield* run(
            "UPDATE evidence SET post_id = ?, reply_id = ?, state = ?, created_at = ? WHERE id = ?",
            postId,
            replyId,
            state,
            at,
            id,
          );
          // Below the text's own (0) and the answers' (their ids): each file's by its negative id.
          yield* setSymptoms(postId, -id, JSON.parse(String(row.symptoms)) as Symptom[]);
          count++;
        }
        if (count > 0)
          yield* run("UPDATE post SET activity_at = max(activity_at, ?) WHERE id = ?", at, postId);
        return count;
      })(),
    );
  }

  async ofPost(postId: number): Promise<Evidence[]> {
    return (await this.#database.rows(`${query} WHERE e.post_id = ? ORDER BY e.id`, postId)).map(evidenceOf);
  }

  async one(id: number): Promise<Evidence | null> {
    const [row] = await this.#database.rows(`${query} WHERE e.id = ?`, id);
    return row === undefined ? null : evidenceOf(row);
  }

  async bytes(id: number): Promise<Uint8Array | null> {
    const [row] = await this.#database.rows("SELECT bytes FROM evidence_bytes WHERE evidence_id = ?", id);
    return row === undefined ? null : new Uint8Array(row.bytes as Uint8Array);
  }

  async reading(id: number): Promise<EvidenceReading | null> {
    const [row] = await this.#database.rows(
      "SELECT id, is_known, cards, symptoms FROM reading WHERE id = ?",
      id,
    );
    return row === undefined
      ? null
      : {
          id: Number(row.id),
          isKnown: Number(row.is_known) === 1,
          cards: String(row.cards),
          symptoms: JSON.parse(String(row.symptoms)) as Symptom[],
        };
  }

  release(id: number, actorId: number, at: number): Promise<boolean> {
    return this.#database.write(
      (function* () {
        const row = yield* get(
          "SELECT post_id, owner_id FROM evidence WHERE id = ? AND state = 'waiting'",
          id,
        );
        if (row === undefined) return false;
        yield* run("UPDATE evidence SET state = 'shown' WHERE id = ?", id);
        yield* tellPerson(Number(row.owner_id), {
          kind: "evidence",
          postId: Number(row.post_id),
          replyId: null,
          actorId,
          at,
        });
        return true;
      })(),
    );
  }

  async remove(id: number): Promise<boolean> {
    const isGone = await this.#database.write(removeEvidence(id));
    if (isGone) await this.#database.scrub();
    return isGone;
  }

  async removeOf(personId: number): Promise<void> {
    await this.#removeAll("SELECT id FROM evidence WHERE owner_id = ? AND state <> 'deleted'", personId);
  }

  async forgetDrafts(before: number): Promise<void> {
    await this.#removeAll("SELECT id FROM evidence WHERE state = 'draft' AND created_at < ?", before);
  }

  scrub(): Promise<void> {
    return this.#database.scrub();
  }

  async #removeAll(which: string, value: number): Promise<void> {
    const count = await this.#database.write(
      (function* () {
        const rows = yield* all(which, value);
        for (const row of rows) yield* removeEvidence(Number(row.id));
        return rows.length;
      })(),
    );
    if (count > 0) await this.#database.scrub();
  }
}

/** A draft's row goes; a post's stays as a place. The reading goes with the last of its files. */
export function* removeEvidence(id: number): Talk<boolean> {
  const row = yield* get("SELECT post_id, reading_id FROM evidence WHERE id = ? AND state <> 'deleted'", id);
  if (row === undefined) return false;
  yield* run("DELETE FROM evidence_bytes WHERE evidence_id = ?", id);
  const postId = orNull(row.post_id);
  if (postId === null) yield* run("DELETE FROM evidence WHERE id = ?", id);
  else {
    yield* run(
      `UPDATE evidence SET state = 'deleted', name = '', size_bytes = 0, sha256 = '', marks = 0, marked = '[]', notes = '[]'
       WHERE id = ?`,
      id,
    );
    yield* setSymptoms(postId, -id, []);
  }
  const rest = yield* get(
    "SELECT 1 AS found FROM evidence WHERE reading_id = ? AND state <> 'deleted' LIMIT 1",
    Number(row.reading_id),
  );
  if (rest === undefined) yield* run("DELETE FROM reading WHERE id = ?", Number(row.reading_id));
  return true;
}

function* isReplyOf(postId: number, replyId: number): Talk<boolean> {
  const row = yield* get("SELECT post_id, state FROM reply WHERE id = ?", replyId);
  return row !== undefined && Number(row.post_id) === postId && row.state !== "deleted";
}

/** Of a post or a reply that is deleted. Answers how many. */
export function* removeEvidenceOf(of: "post" | "reply", id: number): Talk<number> {
  const rows = yield* all(`SELECT id FROM evidence WHERE ${of}_id = ? AND state <> 'deleted'`, id);
  for (const row of rows) yield* removeEvidence(Number(row.id));
  return rows.length;
}

const evidenceOf = (row: Row): Evidence => ({
  id: Number(row.id),
  postId: orNull(row.post_id),
  replyId: orNull(row.reply_id),
  owner: personOf(row),
  name: String(row.name),
  sizeBytes: Number(row.size_bytes),
  sha256: String(row.sha256),
  marks: Number(row.marks),
  marked: String(row.marked),
  notes: JSON.parse(String(row.notes)) as string[],
  state: row.state as EvidenceState,
  createdAt: Number(row.created_at),
  readingId: Number(row.reading_id),
});
