// The board's store over SQL. Every method is one transaction; counters change with the rows that they count.

import type {
  ActKey,
  BoardStore,
  Done,
  Edit,
  ImportedFields,
  NewPost,
  NewReply,
  SearchAsk,
  SearchHit,
  StoreCheck,
} from "@drydock/board/board-store";
import type { EvidenceStore } from "@drydock/board/evidence-store";
import type { Cursor, ListOrder } from "@drydock/board/listing";
import type { ModerationStore } from "@drydock/board/moderation-store";
import type { PeopleStore } from "@drydock/board/people-store";
import type {
  Boost,
  CaseRunRow,
  Person,
  Post,
  PostRow,
  PostState,
  Reply,
  Revision,
  Role,
  Symptom,
  Tag,
  Topic,
} from "@drydock/board/records";
import type { WatchStore } from "@drydock/board/watch-store";
import { acceptTalk, boostTalk, duplicateTalk, isThere, isVisible, unboostTalk } from "./board-boosts.ts";
import { countFaults } from "./board-check.ts";
import { takeCare, tellWatchers, watchFromNow } from "./board-notices.ts";
import {
  addBody,
  addRevision,
  emptyBodies,
  freeFolder,
  indexPost,
  nextFile,
  setOrigin,
  setSymptoms,
  setTags,
  symptomsOf,
} from "./board-parts.ts";
import {
  caseRunOf,
  personColumns,
  personOf,
  postColumns,
  postRowOf,
  postTables,
  replyOf,
} from "./board-rows.ts";
import { searchBoard } from "./board-search.ts";
import { urgently } from "./session-gate.ts";
import { removeEvidenceOf, SqlEvidenceStore } from "./sql-evidence-store.ts";
import { withinLimits } from "./sql-limits.ts";
import { SqlModerationStore } from "./sql-moderation-store.ts";
import { SqlPeopleStore } from "./sql-people-store.ts";
import { all, get, insert, type Row, run, type SqlDatabase, type SqlValue, type Talk } from "./sql-talk.ts";
import { SqlWatchStore } from "./sql-watch-store.ts";

/** Acts are remembered this long: a form sent twice is one act. */
const actLivesMs = 7 * 86_400_000;

const sortColumn = {
  activity: "activity_at",
  created: "created_at",
  replies: "replies",
  boosts: "boosts",
  views: "views",
} as const;

export class SqlBoardStore implements BoardStore {
  readonly database: SqlDatabase;
  readonly accounts: PeopleStore;
  readonly moderation: ModerationStore;
  readonly watching: WatchStore;
  readonly evidence: EvidenceStore;

  constructor(database: SqlDatabase) {
    this.database = database;
    this.accounts = new SqlPeopleStore(database);
    this.moderation = new SqlModerationStore(database);
    this.watching = new SqlWatchStore(database);
    this.evidence = new SqlEvidenceStore(database);
  }

  async person(handle: string, shownName: string, role: Role, at: number): Promise<Person> {
    const find = () => get(`SELECT ${personColumns} FROM person a WHERE a.handle = ?`, handle);
    const known = await this.database.read(find());
    if (known !== undefined) return personOf(known);
    return this.database.write(
      (function* () {
        yield* run(
          "INSERT INTO person (handle, shown_name, role, created_at, trusted_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
          handle,
          shownName,
          role,
          at,
          at,
        );
        return personOf((yield* find()) ?? {});
      })(),
    );
  }

  async topics(): Promise<Topic[]> {
    return (
      await this.#all(`SELECT ${topicColumns} FROM topic WHERE parent_id IS NULL ORDER BY position, id`)
    ).map(topicOf);
  }

  async topic(slug: string): Promise<Topic | null> {
    const row = await this.#get(`SELECT ${topicColumns} FROM topic WHERE slug = ?`, slug);
    return row === undefined ? null : topicOf(row);
  }

  async putTopic(topic: Omit<Topic, "id" | "posts">, position: number): Promise<Topic> {
    return this.database.write(
      (function* () {
        yield* run(
          `INSERT INTO topic (slug, name, description, documentation_url, documentation_name, position)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (slug) DO UPDATE SET name = excluded.name,
         description = excluded.description, documentation_url = excluded.documentation_url,
         documentation_name = excluded.documentation_name, position = excluded.position`,
          topic.slug,
          topic.name,
          topic.description,
          topic.documentationUrl,
          topic.documentationName,
          position,
        );
        return topicOf((yield* get(`SELECT ${topicColumns} FROM topic WHERE slug = ?`, topic.slug)) ?? {});
      })(),
    );
  }

  async addPost(post: NewPost, act: ActKey): Promise<Done> {
    const { index } = this.database;
    return this.database.write(
      (function* () {
        const before = yield* doneBefore(act);
        if (before !== null) return before;
        yield* withinLimits(act.limits, act.at);
        const bodyId = yield* addBody(post.markdown, post.plain);
        const state = post.state ?? "open";
        const isPinned = post.isPinned === true;
        const id = yield* insert(
          `INSERT INTO post (topic_id, author_id, kind, title, state, case_id, pinned, listed, created_at, activity_at,
         source, folder, body_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          post.topicId,
          post.authorId,
          post.kind,
          post.title,
          state,
          post.caseId ?? null,
          isPinned ? 1 : 0,
          isListed(state, isPinned) ? 1 : 0,
          post.at,
          post.at,
          post.source,
          post.folder ?? (yield* freeFolder(post.title)),
          bodyId,
        );
        yield* addRevision("post", id, 1, post.title, bodyId, post.authorId, post.at);
        yield* setTags(id, post.tags);
        yield* setSymptoms(id, 0, post.symptoms);
        yield* indexPost(index, id, post.title, post.plain);
        if (post.origin != null) yield* setOrigin(id, post.origin);
        if (post.isLocked === true) yield* run("UPDATE post SET locked = 1 WHERE id = ?", id);
        if (post.isTold === true) {
          const news = {
            kind: "post",
            postId: id,
            replyId: null,
            actorId: post.authorId,
            at: post.at,
          } as const;
          yield* tellWatchers("topic", post.topicId, news);
          yield* watchFromNow(post.authorId, "post", id, post.at);
        }
        yield* remember(act, id);
        return { id, isNew: true };
      })(),
    );
  }

  async addReply(reply: NewReply, act: ActKey): Promise<Done | "locked" | null> {
    const { index } = this.database;
    return this.database.write(
      (function* () {
        const before = yield* doneBefore(act);
        if (before !== null) return before;
        yield* withinLimits(act.limits, act.at);
        const post = yield* get("SELECT author_id, state, locked FROM post WHERE id = ?", reply.postId);
        if (post === undefined || !isVisible(post.state)) return null;
        if (Number(post.locked) === 1 && reply.isPastLock !== true) return "locked";
        const bodyId = yield* addBody(reply.markdown, reply.plain);
        const id = yield* insert(
          `INSERT INTO reply (post_id, parent_id, author_id, kind, created_at, source, file, body_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          reply.postId,
          reply.parentId,
          reply.authorId,
          reply.kind,
          reply.at,
          reply.source,
          reply.file ?? (yield* nextFile(reply.postId)),
          bodyId,
        );
        yield* addRevision("reply", id, 1, null, bodyId, reply.authorId, reply.at);
        yield* index.putReply(id, reply.plain);
        yield* setSymptoms(reply.postId, id, reply.symptoms);
        yield* run(
          "UPDATE post SET replies = replies + 1, activity_at = max(activity_at, ?) WHERE id = ?",
          reply.at,
          reply.postId,
        );
        const by = { id: reply.authorId, isKnown: reply.isByKnown === true };
        yield* takeCare("post", reply.postId, Number(post.author_id), by);
        if (reply.isTold === true) {
          const { kind, postId, authorId: actorId, at } = reply;
          yield* tellWatchers("post", postId, { kind, postId, replyId: id, actorId, at });
          yield* watchFromNow(actorId, "post", postId, at);
        }
        yield* remember(act, id);
        return { id, isNew: true };
      })(),
    );
  }

  async editPost(id: number, edit: Edit): Promise<"missing" | "changed" | number> {
    const { index } = this.database;
    return this.database.write(
      (function* () {
        const row = yield* get("SELECT version, title, state FROM post WHERE id = ?", id);
        if (row === undefined || !isVisible(row.state)) return "missing";
        if (Number(row.version) !== edit.version) return "changed";
        const version = edit.version + 1;
        const title = edit.title ?? String(row.title);
        const bodyId = yield* addBody(edit.markdown, edit.plain);
        yield* run(
          "UPDATE post SET title = ?, body_id = ?, version = ?, activity_at = max(activity_at, ?) WHERE id = ?",
          title,
          bodyId,
          version,
          edit.at,
          id,
        );
        yield* addRevision("post", id, version, title, bodyId, edit.editorId, edit.at);
        if (edit.tags !== undefined) yield* setTags(id, edit.tags);
        if (edit.symptoms !== undefined) yield* setSymptoms(id, 0, edit.symptoms);
        yield* indexPost(index, id, title, edit.plain);
        return version;
      })(),
    );
  }

  async editReply(id: number, edit: Edit): Promise<"missing" | "changed" | number> {
    const { index } = this.database;
    return this.database.write(
      (function* () {
        const row = yield* get("SELECT post_id, version, state FROM reply WHERE id = ?", id);
        if (row === undefined || row.state !== "shown") return "missing";
        if (Number(row.version) !== edit.version) return "changed";
        const version = edit.version + 1;
        const bodyId = yield* addBody(edit.markdown, edit.plain);
        yield* run("UPDATE reply SET body_id = ?, version = ? WHERE id = ?", bodyId, version, id);
        yield* addRevision("reply", id, version, null, bodyId, edit.editorId, edit.at);
        yield* index.putReply(id, edit.plain);
        if (edit.symptoms !== undefined) yield* setSymptoms(Number(row.post_id), id, edit.symptoms);
        return version;
      })(),
    );
  }

  async deletePost(id: number, at: number): Promise<boolean> {
    const { index } = this.database;
    const files = await this.database.write(
      (function* () {
        if (!(yield* isThere(id))) return null;
        yield* emptyBodies("post", id);
        yield* run(
          "UPDATE post SET state = 'deleted', listed = 0, pinned = 0, title = '', activity_at = max(activity_at, ?) WHERE id = ?",
          at,
          id,
        );
        yield* run("UPDATE revision SET title = '' WHERE of_kind = 'post' AND of_id = ?", id);
        yield* setTags(id, []);
        yield* run("DELETE FROM post_symptom WHERE post_id = ?", id);
        yield* index.drop("post", id);
        return yield* removeEvidenceOf("post", id);
      })(),
    );
    if (files !== null && files > 0) await this.database.scrub();
    return files !== null;
  }

  async deleteReply(id: number, at: number): Promise<boolean> {
    const { index } = this.database;
    const files = await this.database.write(
      (function* () {
        const row = yield* get("SELECT post_id, state FROM reply WHERE id = ?", id);
        if (row === undefined || row.state !== "shown") return null;
        const postId = Number(row.post_id);
        yield* emptyBodies("reply", id);
        yield* run("UPDATE reply SET state = 'deleted' WHERE id = ?", id);
        yield* setSymptoms(postId, id, []);
        yield* index.drop("reply", id);
        yield* run(
          `UPDATE post SET replies = replies - 1, activity_at = max(activity_at, ?),
         state = CASE WHEN accepted_reply_id = ? AND state = 'solved' THEN 'open' ELSE state END,
         accepted_reply_id = CASE WHEN accepted_reply_id = ? THEN NULL ELSE accepted_reply_id END WHERE id = ?`,
          at,
          id,
          id,
          postId,
        );
        return yield* removeEvidenceOf("reply", id);
      })(),
    );
    if (files !== null && files > 0) await this.database.scrub();
    return files !== null;
  }

  boost(boost: Parameters<BoardStore["boost"]>[0]): Promise<boolean> {
    return this.database.write(boostTalk(boost));
  }

  unboost(postId: number, personId: number): Promise<boolean> {
    return this.database.write(unboostTalk(postId, personId));
  }

  accept(
    postId: number,
    replyId: number | null,
    at: number,
    by?: { readonly id: number; readonly isKnown: boolean },
  ): Promise<boolean> {
    return this.database.write(acceptTalk(postId, replyId, at, by));
  }

  markDuplicate(postId: number, of: number | null, at: number): Promise<boolean> {
    return this.database.write(duplicateTalk(postId, of, at));
  }

  async setImported(postId: number, fields: ImportedFields): Promise<void> {
    const { index } = this.database;
    await this.database.write(
      (function* () {
        function* set(column: string, value: string | number | null): Talk<void> {
          yield* run(`UPDATE post SET ${column} = ? WHERE id = ?`, value, postId);
        }
        if (fields.kind !== undefined) yield* set("kind", fields.kind);
        if (fields.state === "hidden") yield* run("UPDATE post SET hidden_from = state WHERE id = ?", postId);
        if (fields.state !== undefined) yield* set("state", fields.state);
        if (fields.caseId !== undefined) yield* set("case_id", fields.caseId);
        if (fields.isPinned !== undefined) yield* set("pinned", fields.isPinned ? 1 : 0);
        if (fields.activityAt !== undefined) yield* set("activity_at", fields.activityAt);
        if (fields.views !== undefined) yield* set("views", fields.views);
        if (fields.origin === null) yield* run("DELETE FROM origin WHERE post_id = ?", postId);
        else if (fields.origin !== undefined) yield* setOrigin(postId, fields.origin);
        if (fields.acceptedFile !== undefined)
          yield* run(
            "UPDATE post SET accepted_reply_id = (SELECT id FROM reply WHERE post_id = ? AND file = ? AND state = 'shown') WHERE id = ?",
            postId,
            fields.acceptedFile,
            postId,
          );
        for (const file of fields.hiddenFiles ?? []) yield* hideImported(index, postId, file);
        yield* run(
          "UPDATE post SET listed = CASE WHEN pinned = 0 AND state NOT IN ('hidden', 'deleted') THEN 1 ELSE 0 END WHERE id = ?",
          postId,
        );
      })(),
    );
  }

  async post(id: number): Promise<Post | null> {
    return this.database.read(wholePost("p.id = ?", id));
  }

  async postByFolder(folder: string): Promise<Post | null> {
    return this.database.read(wholePost("p.folder = ?", folder));
  }

  async replies(postId: number): Promise<Reply[]> {
    return (await this.#all(`${replyQuery} WHERE r.post_id = ? ORDER BY r.id`, postId)).map(replyOf);
  }

  async reply(id: number): Promise<Reply | null> {
    const row = await this.#get(`${replyQuery} WHERE r.id = ?`, id);
    return row === undefined ? null : replyOf(row);
  }

  async revisions(of: "post" | "reply", id: number): Promise<Revision[]> {
    return (
      await this.#all(
        `SELECT r.version, r.at, r.title, b.markdown, ${personColumns} FROM revision r
         JOIN person a ON a.id = r.editor_id JOIN body b ON b.id = r.body_id
         WHERE r.of_kind = ? AND r.of_id = ? ORDER BY r.version DESC`,
        of,
        id,
      )
    ).map((row) => ({
      version: Number(row.version),
      at: Number(row.at),
      editor: personOf(row),
      title: row.title === null ? null : String(row.title),
      markdown: String(row.markdown),
    }));
  }

  async boosts(postId: number, limit: number): Promise<Boost[]> {
    return (
      await this.#all(
        `SELECT s.post_id, s.at, s.os, s.hardware, ${personColumns} FROM boost s JOIN person a ON a.id = s.person_id
         WHERE s.post_id = ? ORDER BY s.person_id LIMIT ?`,
        postId,
        limit,
      )
    ).map((row) => ({
      postId: Number(row.post_id),
      person: personOf(row),
      at: Number(row.at),
      os: String(row.os),
      hardware: String(row.hardware),
    }));
  }

  async hasBoosted(postId: number, personId: number): Promise<boolean> {
    return (
      (await this.#get(
        "SELECT 1 AS found FROM boost WHERE post_id = ? AND person_id = ?",
        postId,
        personId,
      )) !== undefined
    );
  }

  async list(topicId: number, order: ListOrder): Promise<PostRow[]> {
    const column = sortColumn[order.sort];
    const [compare, way] = order.direction === "desc" ? ["<", "DESC"] : [">", "ASC"];
    const start =
      order.direction === "desc"
        ? { key: Number.MAX_SAFE_INTEGER, id: Number.MAX_SAFE_INTEGER }
        : { key: -1, id: -1 };
    const { key, id } = order.after ?? start;
    return (
      await this.#all(
        `SELECT ${postColumns} FROM ${postTables} WHERE p.topic_id = ? AND p.listed = 1
         ${order.unanswered ? "AND p.replies = 0" : ""} AND (p.${column}, p.id) ${compare} (?, ?)
         ORDER BY p.${column} ${way}, p.id ${way} LIMIT ?`,
        topicId,
        key,
        id,
        order.limit + 1,
      )
    ).map(postRowOf);
  }

  async pinned(topicId: number): Promise<PostRow[]> {
    return (
      await this.#all(
        `SELECT ${postColumns} FROM ${postTables} WHERE p.topic_id = ? AND p.pinned = 1 AND p.state NOT IN ('hidden', 'deleted')
         ORDER BY p.id DESC LIMIT 10`,
        topicId,
      )
    ).map(postRowOf);
  }

  async originRows(topicId: number): Promise<PostRow[]> {
    return (
      await this.#all(
        `SELECT ${postColumns.replaceAll("o.", "g.")} FROM origin g CROSS JOIN post p ON p.id = g.post_id
         CROSS JOIN person a ON a.id = p.author_id CROSS JOIN body b ON b.id = p.body_id
         WHERE p.topic_id = ? ORDER BY g.position LIMIT 100`,
        topicId,
      )
    ).map(postRowOf);
  }

  async byTag(tag: string, after: Cursor | null, limit: number): Promise<PostRow[]> {
    return (
      await this.#all(
        `SELECT ${postColumns} FROM post_tag w CROSS JOIN ${postTables} WHERE p.id = w.post_id AND w.tag = ? AND w.post_id < ?
         AND p.state NOT IN ('hidden', 'deleted') ORDER BY w.post_id DESC LIMIT ?`,
        tag,
        after?.id ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
      )
    ).map(postRowOf);
  }

  async bySymptom(symptom: Symptom, limit: number): Promise<PostRow[]> {
    return (
      await this.#all(
        `SELECT ${postColumns} FROM (SELECT DISTINCT w.post_id FROM symptom s CROSS JOIN post_symptom w
         WHERE w.symptom_id = s.id AND s.kind = ? AND s.value = ?) g CROSS JOIN ${postTables}
         WHERE p.id = g.post_id AND p.state NOT IN ('hidden', 'deleted') ORDER BY p.id DESC LIMIT ?`,
        symptom.kind,
        symptom.value,
        limit,
      )
    ).map(postRowOf);
  }

  async byAuthor(personId: number, limit: number): Promise<PostRow[]> {
    return (
      await this.#all(
        `SELECT ${postColumns} FROM ${postTables} WHERE p.author_id = ? AND p.state NOT IN ('hidden', 'deleted')
         ORDER BY p.id DESC LIMIT ?`,
        personId,
        limit,
      )
    ).map(postRowOf);
  }

  async byCase(caseId: string): Promise<PostRow[]> {
    return (
      await this.#all(
        `SELECT ${postColumns} FROM ${postTables} WHERE p.case_id = ? AND p.state NOT IN ('hidden', 'deleted')
         ORDER BY p.id LIMIT 20`,
        caseId,
      )
    ).map(postRowOf);
  }

  async tags(limit: number): Promise<Tag[]> {
    return (
      await this.#all(
        "SELECT slug, posts FROM tag WHERE posts > 0 ORDER BY posts DESC, slug DESC LIMIT ?",
        limit,
      )
    ).map((row) => ({ slug: String(row.slug), posts: Number(row.posts) }));
  }

  async search(ask: SearchAsk): Promise<SearchHit[]> {
    return this.database.read(searchBoard(this.database.index, ask));
  }

  async everyPost(after: number, limit: number): Promise<Post[]> {
    return this.database.read(
      (function* () {
        const rows = yield* all(
          `SELECT ${postColumns}, b.markdown FROM ${postTables} WHERE p.id > ? AND p.state <> 'deleted' ORDER BY p.id LIMIT ?`,
          after,
          limit,
        );
        const posts: Post[] = [];
        for (const row of rows) posts.push(yield* withText(row));
        return posts;
      })(),
    );
  }

  async keyOfDay(day: number, fresh: Uint8Array): Promise<Uint8Array> {
    const find = () => get("SELECT key FROM key_of_day WHERE day = ?", day);
    const known = (await this.database.read(find()))?.key;
    if (known instanceof Uint8Array) return known;
    return this.database.write(
      (function* () {
        yield* run("INSERT INTO key_of_day (day, key) VALUES (?, ?) ON CONFLICT DO NOTHING", day, fresh);
        return (yield* find())?.key as Uint8Array;
      })(),
    );
  }

  async countView(view: {
    postId: number;
    day: number;
    viewer: Uint8Array;
    minute: number;
    perMinute: number;
  }): Promise<boolean> {
    return this.database.write(
      (function* () {
        if (!(yield* isThere(view.postId))) return false;
        const name = `view ${view.postId}`;
        const used = yield* get('SELECT used FROM rate WHERE "window" = ? AND name = ?', view.minute, name);
        if (Number(used?.used ?? 0) >= view.perMinute) return false;
        const changes = yield* run(
          "INSERT INTO view_seen (day, post_id, viewer) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          view.day,
          view.postId,
          view.viewer,
        );
        if (changes === 0) return false;
        yield* run("UPDATE post SET views = views + 1 WHERE id = ?", view.postId);
        yield* run(
          'INSERT INTO rate ("window", name, used) VALUES (?, ?, 1) ON CONFLICT ("window", name) DO UPDATE SET used = rate.used + 1',
          view.minute,
          name,
        );
        yield* run('DELETE FROM rate WHERE "window" < ?', view.minute - 5);
        return true;
      })(),
    );
  }

  async purgeViews(keysBefore: number, seenBefore: number): Promise<void> {
    await this.database.write(
      (function* () {
        yield* run("DELETE FROM key_of_day WHERE day < ?", keysBefore);
        yield* run("DELETE FROM view_seen WHERE day < ?", seenBefore);
      })(),
    );
  }

  async addCaseRun(done: Omit<CaseRunRow, "id">, act: ActKey = { key: null, at: done.at }): Promise<void> {
    await this.database.write(
      (function* () {
        if ((yield* doneBefore(act)) !== null) return;
        const lastId = yield* insert(
          `INSERT INTO case_run (case_id, side, seed, drydock_version, build, verdict, result, trace_digest, wall_ms, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          done.caseId,
          done.side,
          done.seed,
          done.drydockVersion,
          done.build,
          done.verdict,
          done.result,
          done.traceDigest,
          done.wallMs,
          done.at,
        );
        yield* run(
          `INSERT INTO case_latest (case_id, side, run_id) VALUES (?, ?, ?)
         ON CONFLICT (case_id, side) DO UPDATE SET run_id = excluded.run_id`,
          done.caseId,
          done.side,
          lastId,
        );
        yield* remember(act, lastId);
      })(),
    );
  }

  async caseRuns(caseId: string, limit: number): Promise<CaseRunRow[]> {
    return (
      await this.#all("SELECT * FROM case_run WHERE case_id = ? ORDER BY id DESC LIMIT ?", caseId, limit)
    ).map(caseRunOf);
  }

  async latestRuns(): Promise<CaseRunRow[]> {
    return (
      await this.#all(
        "SELECT r.* FROM case_latest l CROSS JOIN case_run r ON r.id = l.run_id ORDER BY l.case_id, l.side LIMIT 1000",
      )
    ).map(caseRunOf);
  }

  async importedHash(path: string): Promise<string | null> {
    const row = await this.#get("SELECT hash FROM imported WHERE path = ?", path);
    return row === undefined ? null : String(row.hash);
  }

  async setImportedHash(path: string, hash: string): Promise<void> {
    await this.#run(
      "INSERT INTO imported (path, hash) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET hash = excluded.hash",
      path,
      hash,
    );
  }

  async setting(name: string): Promise<string | null> {
    const row = await this.#get("SELECT value FROM setting WHERE name = ?", name);
    return row === undefined ? null : String(row.value);
  }

  async setSetting(name: string, value: string): Promise<void> {
    await this.#run(
      "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }

  async alone<T>(act: () => Promise<T>): Promise<T> {
    return await this.database.alone(act);
  }

  urgently<T>(act: () => Promise<T>): Promise<T> {
    return urgently(act);
  }

  async check(): Promise<StoreCheck> {
    const faults = await this.database.faults();
    return { faults: [...faults, ...(await this.database.read(countFaults()))] };
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  #all(sql: string, ...values: SqlValue[]): Promise<readonly Row[]> {
    return this.database.rows(sql, ...values);
  }

  async #get(sql: string, ...values: SqlValue[]): Promise<Row | undefined> {
    return (await this.database.rows(sql, ...values))[0];
  }

  async #run(sql: string, ...values: SqlValue[]): Promise<void> {
    await this.database.write(run(sql, ...values));
  }
}

function* hideImported(index: SqlDatabase["index"], postId: number, file: string): Talk<void> {
  const row = yield* get(
    "SELECT id FROM reply WHERE post_id = ? AND file = ? AND state = 'shown'",
    postId,
    file,
  );
  if (row === undefined) return;
  yield* run("UPDATE reply SET state = 'hidden' WHERE id = ?", Number(row.id));
  yield* setSymptoms(postId, Number(row.id), []);
  yield* index.drop("reply", Number(row.id));
  yield* run("UPDATE post SET replies = replies - 1 WHERE id = ?", postId);
}

function* wholePost(where: string, value: string | number): Talk<Post | null> {
  const row = yield* get(`SELECT ${postColumns}, b.markdown FROM ${postTables} WHERE ${where}`, value);
  if (row !== undefined) return yield* withText(row);
  // What never was costs what is hidden costs: nobody tells one from the other by the clock.
  yield* symptomsOf(0);
  return null;
}

function* withText(row: Row): Talk<Post> {
  return {
    ...postRowOf(row),
    markdown: String(row.markdown),
    symptoms: yield* symptomsOf(Number(row.id)),
  };
}

function* doneBefore(act: ActKey): Talk<Done | null> {
  if (act.key === null) return null;
  const row = yield* get("SELECT done_id FROM act WHERE key = ?", act.key);
  return row === undefined ? null : { id: Number(row.done_id), isNew: false };
}

function* remember(act: ActKey, id: number): Talk<void> {
  if (act.key === null) return;
  yield* run("INSERT INTO act (key, done_id, at) VALUES (?, ?, ?)", act.key, id, act.at);
  yield* run("DELETE FROM act WHERE at < ?", act.at - actLivesMs);
}

const replyQuery = `SELECT r.id, r.post_id, r.parent_id, r.kind, r.state, r.created_at, r.version, r.body_id, r.source, r.file,
  b.markdown, ${personColumns} FROM reply r CROSS JOIN person a ON a.id = r.author_id CROSS JOIN body b ON b.id = r.body_id`;

const isListed = (state: PostState, isPinned: boolean): boolean => isVisible(state) && !isPinned;

const topicColumns = "id, slug, name, description, documentation_url, documentation_name, posts";

function topicOf(row: Readonly<Record<string, unknown>>): Topic {
  return {
    id: Number(row.id),
    slug: String(row.slug),
    name: String(row.name),
    description: String(row.description),
    documentationUrl: String(row.documentation_url),
    documentationName: String(row.documentation_name),
    posts: Number(row.posts),
  };
}
