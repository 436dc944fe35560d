// Moderation over SQL: each act, its row of the log and whom it is told stand or fall together.

import type {
  ActBy,
  Flagged,
  FlagRow,
  LogRow,
  ModerationAct,
  ModerationStore,
} from "@drydock/board/moderation-store";
import type { Role } from "@drydock/board/records";
import { symptomsIn } from "@drydock/board/symptoms";
import { tellPerson, tellWatchers } from "./board-notices.ts";
import { setSymptoms } from "./board-parts.ts";
import { orNull, personColumns, personOf } from "./board-rows.ts";
import { all, get, type Row, run, type SqlDatabase, type Talk } from "./sql-talk.ts";

/** A chain of duplicates is as long as people made it; a circle would be longer. */
const longestChain = 100;

export class SqlModerationStore implements ModerationStore {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  flag(
    of: Flagged,
    id: number,
    by: { readonly personId: number; readonly reason: string; readonly at: number },
  ): Promise<"missing" | "again" | "done"> {
    return this.#database.write(
      (function* () {
        const thing = yield* thingOf(of, id);
        if (thing === null || thing.isHidden) return "missing";
        const changes = yield* run(
          "INSERT INTO flag (of_kind, of_id, person_id, reason, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
          of,
          id,
          by.personId,
          by.reason,
          by.at,
        );
        return changes === 0 ? "again" : "done";
      })(),
    );
  }

  async queue(after: number, limit: number): Promise<FlagRow[]> {
    return await this.#database.read(
      (function* () {
        const rows = yield* all(
          `SELECT f.id, f.of_kind, f.of_id, f.reason, f.at, ${personColumns} FROM flag f CROSS JOIN person a ON a.id = f.person_id
           WHERE f.decided_at IS NULL AND f.id > ? ORDER BY f.id LIMIT ?`,
          after,
          limit,
        );
        const found: FlagRow[] = [];
        for (const row of rows) {
          const of = row.of_kind as Flagged;
          const shown = yield* get(
            of === "post"
              ? `SELECT p.id AS post_id, p.title, substr(b.plain, 1, 400) AS excerpt, ${personColumns} FROM post p
                 CROSS JOIN person a ON a.id = p.author_id CROSS JOIN body b ON b.id = p.body_id WHERE p.id = ?`
              : `SELECT p.id AS post_id, p.title, substr(b.plain, 1, 400) AS excerpt, ${personColumns} FROM reply r
                 CROSS JOIN post p ON p.id = r.post_id CROSS JOIN person a ON a.id = r.author_id
                 CROSS JOIN body b ON b.id = r.body_id WHERE r.id = ?`,
            Number(row.of_id),
          );
          if (shown === undefined) continue;
          found.push({
            id: Number(row.id),
            of,
            ofId: Number(row.of_id),
            postId: Number(shown.post_id),
            title: String(shown.title),
            excerpt: String(shown.excerpt),
            author: personOf(shown),
            by: personOf(row),
            reason: String(row.reason),
            at: Number(row.at),
          });
        }
        return found;
      })(),
    );
  }

  async waiting(): Promise<number> {
    const [row] = await this.#database.rows(
      "SELECT count(*) AS n FROM (SELECT 1 AS one FROM flag WHERE decided_at IS NULL AND id > 0 LIMIT 1000) g",
    );
    return Number(row?.n ?? 0);
  }

  hide(of: Flagged, id: number, act: ActBy): Promise<boolean> {
    const { index } = this.#database;
    return this.#database.write(
      (function* () {
        const thing = yield* thingOf(of, id);
        if (thing === null || thing.isHidden) return false;
        if (of === "post") {
          yield* run("UPDATE post SET hidden_from = state, state = 'hidden', listed = 0 WHERE id = ?", id);
        } else {
          yield* run("UPDATE reply SET state = 'hidden' WHERE id = ?", id);
          yield* setSymptoms(thing.postId, id, []);
          yield* index.drop("reply", id);
          yield* run(
            `UPDATE post SET replies = replies - 1,
             state = CASE WHEN accepted_reply_id = ? AND state = 'solved' THEN 'open' ELSE state END,
             accepted_reply_id = CASE WHEN accepted_reply_id = ? THEN NULL ELSE accepted_reply_id END WHERE id = ?`,
            id,
            id,
            thing.postId,
          );
        }
        yield* decide(of, id, "hidden", act);
        yield* write({ act: "hide", of, id, thing, by: act });
        yield* tellPerson(thing.authorId, { kind: "hidden", ...placeOf(of, id, thing), ...whoAndWhen(act) });
        return true;
      })(),
    );
  }

  show(of: Flagged, id: number, act: ActBy): Promise<boolean> {
    const { index } = this.#database;
    return this.#database.write(
      (function* () {
        const thing = yield* thingOf(of, id);
        if (thing === null || !thing.isHidden) return false;
        if (of === "post") {
          yield* run(
            `UPDATE post SET state = COALESCE(hidden_from, 'open'), hidden_from = NULL, listed = 1 - pinned WHERE id = ?`,
            id,
          );
        } else {
          const body = yield* get(
            "SELECT b.markdown, b.plain FROM reply r CROSS JOIN body b ON b.id = r.body_id WHERE r.id = ?",
            id,
          );
          yield* run("UPDATE reply SET state = 'shown' WHERE id = ?", id);
          yield* index.putReply(id, String(body?.plain ?? ""));
          yield* setSymptoms(thing.postId, id, symptomsIn(String(body?.markdown ?? "")));
          yield* run("UPDATE post SET replies = replies + 1 WHERE id = ?", thing.postId);
        }
        yield* write({ act: "show", of, id, thing, by: act });
        yield* tellPerson(thing.authorId, { kind: "shown", ...placeOf(of, id, thing), ...whoAndWhen(act) });
        return true;
      })(),
    );
  }

  dismiss(of: Flagged, id: number, act: ActBy): Promise<boolean> {
    return this.#database.write(
      (function* () {
        const thing = yield* thingOf(of, id);
        if ((yield* decide(of, id, "dismissed", act)) === 0 || thing === null) return false;
        yield* write({ act: "dismiss", of, id, thing, by: act });
        return true;
      })(),
    );
  }

  lock(postId: number, isLocked: boolean, act: ActBy): Promise<boolean> {
    return this.#database.write(
      (function* () {
        const thing = yield* thingOf("post", postId);
        if (thing === null) return false;
        const value = isLocked ? 1 : 0;
        if (
          (yield* run("UPDATE post SET locked = ? WHERE id = ? AND locked <> ?", value, postId, value)) === 0
        )
          return false;
        yield* write({ act: isLocked ? "lock" : "unlock", of: "post", id: postId, thing, by: act });
        if (isLocked)
          yield* tellPerson(thing.authorId, { kind: "locked", postId, replyId: null, ...whoAndWhen(act) });
        return true;
      })(),
    );
  }

  move(postId: number, topicId: number, act: ActBy): Promise<boolean> {
    return this.#database.write(
      (function* () {
        const thing = yield* thingOf("post", postId);
        const row = yield* get("SELECT topic_id, listed FROM post WHERE id = ?", postId);
        if (thing === null || row === undefined || Number(row.topic_id) === topicId) return false;
        const slug = function* (id: number): Talk<string> {
          return String((yield* get("SELECT slug FROM topic WHERE id = ?", id))?.slug ?? "");
        };
        const detail = `${yield* slug(Number(row.topic_id))} to ${yield* slug(topicId)}`;
        yield* run("UPDATE post SET topic_id = ? WHERE id = ?", topicId, postId);
        const listed = Number(row.listed);
        yield* run("UPDATE topic SET posts = posts - ? WHERE id = ?", listed, Number(row.topic_id));
        yield* run("UPDATE topic SET posts = posts + ? WHERE id = ?", listed, topicId);
        yield* write({ act: "move", of: "post", id: postId, thing, by: act, detail });
        yield* tellPerson(thing.authorId, { kind: "moved", postId, replyId: null, ...whoAndWhen(act) });
        return true;
      })(),
    );
  }

  merge(postId: number, into: number, act: ActBy): Promise<"missing" | "circle" | number> {
    return this.#database.write(
      (function* () {
        const thing = yield* thingOf("post", postId);
        if (thing === null || thing.isHidden) return "missing";
        let target = into;
        for (let step = 0; step < longestChain; step++) {
          const row = yield* get("SELECT duplicate_of FROM post WHERE id = ?", target);
          const next = orNull(row?.duplicate_of);
          if (target === postId || next === null) break;
          target = next;
        }
        if (target === postId) return "circle";
        const original = yield* thingOf("post", target);
        if (original === null || original.isHidden) return "missing";
        yield* run(
          `INSERT INTO boost (post_id, person_id, at, os, hardware)
           SELECT ?, s.person_id, s.at, s.os, s.hardware FROM boost s WHERE s.post_id = ? ON CONFLICT DO NOTHING`,
          target,
          postId,
        );
        yield* run("DELETE FROM boost WHERE post_id = ?", postId);
        for (const id of [postId, target])
          yield* run(
            "UPDATE post SET boosts = (SELECT count(*) FROM boost s WHERE s.post_id = ?) WHERE id = ?",
            id,
            id,
          );
        yield* run(
          `INSERT INTO watch (person_id, of_kind, of_id, at) SELECT w.person_id, 'post', ?, w.at FROM watch w
           WHERE w.of_kind = 'post' AND w.of_id = ? ON CONFLICT DO NOTHING`,
          target,
          postId,
        );
        yield* run("DELETE FROM watch WHERE of_kind = 'post' AND of_id = ?", postId);
        yield* run("UPDATE post SET duplicate_of = ? WHERE duplicate_of = ?", target, postId);
        yield* run(
          "UPDATE post SET duplicate_of = ?, state = 'duplicate', activity_at = max(activity_at, ?) WHERE id = ?",
          target,
          act.at,
          postId,
        );
        yield* write({ act: "merge", of: "post", id: postId, thing, by: act, detail: `into ${target}` });
        yield* tellPerson(thing.authorId, { kind: "merged", postId, replyId: null, ...whoAndWhen(act) });
        yield* tellWatchers("post", target, { kind: "merged", postId, replyId: null, ...whoAndWhen(act) });
        return target;
      })(),
    );
  }

  ban(personId: number, isBanned: boolean, act: ActBy): Promise<boolean> {
    const [state, before] = isBanned ? ["banned", "active"] : ["active", "banned"];
    return this.#onPerson(personId, isBanned ? "ban" : "unban", act, function* () {
      const changes = yield* run(
        "UPDATE person SET state = ? WHERE id = ? AND state = ?",
        state,
        personId,
        before,
      );
      return changes === 0 ? null : "";
    });
  }

  setRole(personId: number, role: Role, act: ActBy): Promise<boolean> {
    return this.#onPerson(personId, "role", act, function* (row) {
      if (row.role === role) return null;
      yield* run("UPDATE person SET role = ? WHERE id = ?", role, personId);
      // Whoever is given a task is known.
      if (role !== "reader" && role !== "writer")
        yield* run("UPDATE person SET trusted_at = ? WHERE id = ? AND trusted_at IS NULL", act.at, personId);
      return `${row.role} to ${role}`;
    });
  }

  setKnown(personId: number, isKnown: boolean, act: ActBy): Promise<boolean> {
    return this.#onPerson(personId, isKnown ? "know" : "unknow", act, function* (row) {
      if ((row.trusted_at !== null) === isKnown) return null;
      yield* run("UPDATE person SET trusted_at = ? WHERE id = ?", isKnown ? act.at : null, personId);
      // Trust that was taken back is earned anew.
      if (!isKnown) yield* run("DELETE FROM care WHERE person_id = ?", personId);
      return "";
    });
  }

  /** `change` answers what the log says of it, or null when there is nothing to change. */
  #onPerson(
    personId: number,
    name: ModerationAct,
    act: ActBy,
    change: (row: Row) => Talk<string | null>,
  ): Promise<boolean> {
    return this.#database.write(
      (function* () {
        const row = yield* get(
          "SELECT role, trusted_at FROM person WHERE id = ? AND state <> 'deleted'",
          personId,
        );
        const detail = row === undefined ? null : yield* change(row);
        if (detail === null) return false;
        yield* write({
          act: name,
          of: "person",
          id: personId,
          thing: { authorId: personId, postId: null },
          by: act,
          detail,
        });
        yield* tellPerson(personId, { kind: "person", postId: null, replyId: null, ...whoAndWhen(act) });
        return true;
      })(),
    );
  }

  async log({ subject, before, limit }: Parameters<ModerationStore["log"]>[0]): Promise<LogRow[]> {
    const end = before ?? Number.MAX_SAFE_INTEGER;
    const rows =
      subject === null
        ? await this.#database.rows(`${logQuery} WHERE l.id < ? ORDER BY l.id DESC LIMIT ?`, end, limit)
        : await this.#database.rows(
            `${logQuery} WHERE l.subject_id = ? AND l.id < ? ORDER BY l.id DESC LIMIT ?`,
            subject,
            end,
            limit,
          );
    return rows.map(logRowOf);
  }

  async latest(of: Flagged | "person", id: number, act: ModerationAct): Promise<LogRow | null> {
    const [row] = await this.#database.rows(
      `${logQuery} WHERE l.of_kind = ? AND l.of_id = ? AND l.act = ? ORDER BY l.id DESC LIMIT 1`,
      of,
      id,
      act,
    );
    return row === undefined ? null : logRowOf(row);
  }
}

const logQuery = `SELECT l.id, l.at, l.act, l.of_kind, l.of_id, l.post_id, l.reason, l.detail, ${personColumns},
  s.id AS subject_id, s.handle AS subject_handle, s.shown_name AS subject_name, s.role AS subject_role,
  s.trusted_at AS subject_trusted_at
  FROM moderation_log l CROSS JOIN person a ON a.id = l.actor_id CROSS JOIN person s ON s.id = l.subject_id`;

const logRowOf = (row: Row): LogRow => ({
  id: Number(row.id),
  at: Number(row.at),
  actor: personOf(row),
  act: row.act as ModerationAct,
  of: row.of_kind as LogRow["of"],
  ofId: Number(row.of_id),
  postId: orNull(row.post_id),
  subject: personOf({
    person_id: row.subject_id,
    handle: row.subject_handle,
    shown_name: row.subject_name,
    role: row.subject_role,
    trusted_at: row.subject_trusted_at,
  }),
  reason: String(row.reason),
  detail: String(row.detail),
});

interface Thing {
  readonly authorId: number;
  readonly postId: number;
  readonly isHidden: boolean;
}

/** Null when it is not there, or deleted. A reply below a deleted post is not there. */
function* thingOf(of: Flagged, id: number): Talk<Thing | null> {
  const row = yield* get(
    of === "post"
      ? "SELECT id AS post_id, author_id, state FROM post WHERE id = ? AND state <> 'deleted'"
      : `SELECT r.post_id, r.author_id, r.state FROM reply r CROSS JOIN post p ON p.id = r.post_id
         WHERE r.id = ? AND r.state <> 'deleted' AND p.state <> 'deleted'`,
    id,
  );
  if (row === undefined) return null;
  return {
    authorId: Number(row.author_id),
    postId: Number(row.post_id),
    isHidden: row.state === "hidden",
  };
}

const placeOf = (of: Flagged, id: number, thing: Thing) => ({
  postId: thing.postId,
  replyId: of === "reply" ? id : null,
});
const whoAndWhen = ({ actorId, at }: ActBy) => ({ actorId, at });

function* decide(of: Flagged, id: number, decision: string, act: ActBy): Talk<number> {
  return yield* run(
    "UPDATE flag SET decided_at = ?, decided_by = ?, decision = ? WHERE of_kind = ? AND of_id = ? AND decided_at IS NULL",
    act.at,
    act.actorId,
    decision,
    of,
    id,
  );
}

function* write(row: {
  readonly act: ModerationAct;
  readonly of: Flagged | "person";
  readonly id: number;
  readonly thing: { readonly authorId: number; readonly postId: number | null };
  readonly by: ActBy;
  readonly detail?: string;
}): Talk<void> {
  yield* run(
    `INSERT INTO moderation_log (at, actor_id, act, of_kind, of_id, post_id, subject_id, reason, detail)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.by.at,
    row.by.actorId,
    row.act,
    row.of,
    row.id,
    row.thing.postId,
    row.thing.authorId,
    row.by.reason,
    row.detail ?? "",
  );
}
