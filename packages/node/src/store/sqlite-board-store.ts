// The board's store in SQLite. Every method is one transaction; counters change with the rows that they count.

import type {
  ActKey,
  BoardStore,
  Done,
  Edit,
  NewPost,
  NewReply,
  SearchAsk,
  SearchHit,
  StoreCheck,
} from "@drydock/board/board-store";
import type { Cursor, ListOrder } from "@drydock/board/listing";
import type {
  Boost,
  CaseRunRow,
  OriginRow,
  Person,
  Post,
  PostKind,
  PostRow,
  PostState,
  Reply,
  Revision,
  Role,
  Symptom,
  Tag,
  Topic,
} from "@drydock/board/records";
import { checkBoard } from "./board-check.ts";
import { openBoardDatabase } from "./board-database.ts";
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
import type { SqliteConnection } from "./sqlite.ts";

/** Acts are remembered this long: a form sent twice is one act. */
const actLivesMs = 7 * 86_400_000;

const sortColumn = {
  activity: "activity_at",
  created: "created_at",
  replies: "replies",
  boosts: "boosts",
  views: "views",
} as const;

export class SqliteBoardStore implements BoardStore {
  readonly connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.connection = connection;
  }

  /** Throws StoreTrouble: held, damaged, newer, not ours. */
  static open(path: string): SqliteBoardStore {
    return new SqliteBoardStore(openBoardDatabase(path));
  }

  async person(handle: string, shownName: string, role: Role, at: number): Promise<Person> {
    const find = () =>
      this.connection.get(
        "SELECT id AS person_id, handle, shown_name, role FROM person WHERE handle = ?",
        handle,
      );
    const known = find();
    if (known !== undefined) return personOf(known);
    return this.connection.write(() => {
      this.connection.run(
        "INSERT INTO person (handle, shown_name, role, created_at, trusted_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        handle,
        shownName,
        role,
        at,
        at,
      );
      return personOf(find() ?? {});
    });
  }

  async topics(): Promise<Topic[]> {
    return this.connection
      .all("SELECT * FROM topic WHERE parent_id IS NULL ORDER BY position, id")
      .map(topicOf);
  }

  async topic(slug: string): Promise<Topic | null> {
    const row = this.connection.get("SELECT * FROM topic WHERE slug = ?", slug);
    return row === undefined ? null : topicOf(row);
  }

  async putTopic(topic: Omit<Topic, "id" | "posts">, position: number): Promise<Topic> {
    return this.connection.write(() => {
      this.connection.run(
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
      return topicOf(this.connection.get("SELECT * FROM topic WHERE slug = ?", topic.slug) ?? {});
    });
  }

  async addPost(post: NewPost, act: ActKey): Promise<Done> {
    return this.connection.write(() => {
      const before = this.#doneBefore(act);
      if (before !== null) return before;
      const bodyId = addBody(this.connection, post.markdown, post.plain);
      const state = post.state ?? "open";
      const isPinned = post.isPinned === true;
      const { lastId: id } = this.connection.run(
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
        post.folder ?? freeFolder(this.connection, post.title),
        bodyId,
      );
      addRevision(this.connection, "post", id, 1, post.title, bodyId, post.authorId, post.at);
      setTags(this.connection, id, post.tags);
      setSymptoms(this.connection, id, 0, post.symptoms);
      indexPost(this.connection, id, post.title, post.plain);
      if (post.origin != null) setOrigin(this.connection, id, post.origin);
      this.#remember(act, id);
      return { id, isNew: true };
    });
  }

  async addReply(reply: NewReply, act: ActKey): Promise<Done | null> {
    return this.connection.write(() => {
      const before = this.#doneBefore(act);
      if (before !== null) return before;
      if (!this.#isThere(reply.postId)) return null;
      const bodyId = addBody(this.connection, reply.markdown, reply.plain);
      const { lastId: id } = this.connection.run(
        `INSERT INTO reply (post_id, parent_id, author_id, kind, created_at, source, file, body_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        reply.postId,
        reply.parentId,
        reply.authorId,
        reply.kind,
        reply.at,
        reply.source,
        reply.file ?? nextFile(this.connection, reply.postId),
        bodyId,
      );
      addRevision(this.connection, "reply", id, 1, null, bodyId, reply.authorId, reply.at);
      this.connection.run("INSERT INTO reply_fts (rowid, body) VALUES (?, ?)", id, reply.plain);
      setSymptoms(this.connection, reply.postId, id, reply.symptoms);
      this.connection.run(
        "UPDATE post SET replies = replies + 1, activity_at = max(activity_at, ?) WHERE id = ?",
        reply.at,
        reply.postId,
      );
      this.#remember(act, id);
      return { id, isNew: true };
    });
  }

  async editPost(id: number, edit: Edit): Promise<"missing" | "changed" | number> {
    return this.connection.write(() => {
      const row = this.connection.get("SELECT version, title, state FROM post WHERE id = ?", id);
      if (row === undefined || !isVisible(row.state)) return "missing";
      if (Number(row.version) !== edit.version) return "changed";
      const version = edit.version + 1;
      const title = edit.title ?? String(row.title);
      const bodyId = addBody(this.connection, edit.markdown, edit.plain);
      this.connection.run(
        "UPDATE post SET title = ?, body_id = ?, version = ?, activity_at = max(activity_at, ?) WHERE id = ?",
        title,
        bodyId,
        version,
        edit.at,
        id,
      );
      addRevision(this.connection, "post", id, version, title, bodyId, edit.editorId, edit.at);
      if (edit.tags !== undefined) setTags(this.connection, id, edit.tags);
      if (edit.symptoms !== undefined) setSymptoms(this.connection, id, 0, edit.symptoms);
      indexPost(this.connection, id, title, edit.plain);
      return version;
    });
  }

  async editReply(id: number, edit: Edit): Promise<"missing" | "changed" | number> {
    return this.connection.write(() => {
      const row = this.connection.get("SELECT post_id, version, state FROM reply WHERE id = ?", id);
      if (row === undefined || row.state !== "shown") return "missing";
      if (Number(row.version) !== edit.version) return "changed";
      const version = edit.version + 1;
      const bodyId = addBody(this.connection, edit.markdown, edit.plain);
      this.connection.run("UPDATE reply SET body_id = ?, version = ? WHERE id = ?", bodyId, version, id);
      addRevision(this.connection, "reply", id, version, null, bodyId, edit.editorId, edit.at);
      this.connection.run("DELETE FROM reply_fts WHERE rowid = ?", id);
      this.connection.run("INSERT INTO reply_fts (rowid, body) VALUES (?, ?)", id, edit.plain);
      if (edit.symptoms !== undefined) setSymptoms(this.connection, Number(row.post_id), id, edit.symptoms);
      return version;
    });
  }

  async deletePost(id: number, at: number): Promise<boolean> {
    return this.connection.write(() => {
      if (!this.#isThere(id)) return false;
      emptyBodies(this.connection, "post", id);
      this.connection.run(
        "UPDATE post SET state = 'deleted', listed = 0, pinned = 0, title = '', activity_at = max(activity_at, ?) WHERE id = ?",
        at,
        id,
      );
      this.connection.run("UPDATE revision SET title = '' WHERE of_kind = 'post' AND of_id = ?", id);
      setTags(this.connection, id, []);
      this.connection.run("DELETE FROM post_symptom WHERE post_id = ?", id);
      this.connection.run("DELETE FROM post_fts WHERE rowid = ?", id);
      return true;
    });
  }

  async deleteReply(id: number, at: number): Promise<boolean> {
    return this.connection.write(() => {
      const row = this.connection.get("SELECT post_id, state FROM reply WHERE id = ?", id);
      if (row === undefined || row.state !== "shown") return false;
      const postId = Number(row.post_id);
      emptyBodies(this.connection, "reply", id);
      this.connection.run("UPDATE reply SET state = 'deleted' WHERE id = ?", id);
      setSymptoms(this.connection, postId, id, []);
      this.connection.run("DELETE FROM reply_fts WHERE rowid = ?", id);
      this.connection.run(
        `UPDATE post SET replies = replies - 1, activity_at = max(activity_at, ?),
         state = CASE WHEN accepted_reply_id = ? AND state = 'solved' THEN 'open' ELSE state END,
         accepted_reply_id = CASE WHEN accepted_reply_id = ? THEN NULL ELSE accepted_reply_id END WHERE id = ?`,
        at,
        id,
        id,
        postId,
      );
      return true;
    });
  }

  async boost(boost: {
    postId: number;
    personId: number;
    at: number;
    os: string;
    hardware: string;
  }): Promise<boolean> {
    return this.connection.write(() => {
      if (!this.#isThere(boost.postId)) return false;
      const { changes } = this.connection.run(
        "INSERT INTO boost (post_id, person_id, at, os, hardware) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        boost.postId,
        boost.personId,
        boost.at,
        boost.os,
        boost.hardware,
      );
      if (changes === 1)
        this.connection.run("UPDATE post SET boosts = boosts + 1 WHERE id = ?", boost.postId);
      else
        this.connection.run(
          "UPDATE boost SET os = ?, hardware = ? WHERE post_id = ? AND person_id = ?",
          boost.os,
          boost.hardware,
          boost.postId,
          boost.personId,
        );
      return true;
    });
  }

  async unboost(postId: number, personId: number): Promise<boolean> {
    return this.connection.write(() => {
      const { changes } = this.connection.run(
        "DELETE FROM boost WHERE post_id = ? AND person_id = ?",
        postId,
        personId,
      );
      if (changes === 1) this.connection.run("UPDATE post SET boosts = boosts - 1 WHERE id = ?", postId);
      return changes === 1;
    });
  }

  async accept(postId: number, replyId: number | null, at: number): Promise<boolean> {
    return this.connection.write(() => {
      if (!this.#isThere(postId)) return false;
      if (replyId !== null) {
        const reply = this.connection.get(
          "SELECT 1 AS found FROM reply WHERE id = ? AND post_id = ? AND kind = 'answer' AND state = 'shown'",
          replyId,
          postId,
        );
        if (reply === undefined) return false;
      }
      this.connection.run(
        `UPDATE post SET accepted_reply_id = ?, state = CASE WHEN state = 'duplicate' THEN state ELSE ? END,
         activity_at = max(activity_at, ?) WHERE id = ?`,
        replyId,
        replyId === null ? "open" : "solved",
        at,
        postId,
      );
      return true;
    });
  }

  async markDuplicate(postId: number, of: number | null, at: number): Promise<boolean> {
    return this.connection.write(() => {
      if (!this.#isThere(postId) || (of !== null && !this.#isThere(of))) return false;
      this.connection.run(
        `UPDATE post SET duplicate_of = ?, state = CASE WHEN ? IS NOT NULL THEN 'duplicate'
         WHEN accepted_reply_id IS NULL THEN 'open' ELSE 'solved' END, activity_at = max(activity_at, ?) WHERE id = ?`,
        of,
        of,
        at,
        postId,
      );
      return true;
    });
  }

  async setImported(
    postId: number,
    fields: {
      readonly kind?: PostKind;
      readonly state?: PostState;
      readonly caseId?: string | null;
      readonly isPinned?: boolean;
      readonly origin?: OriginRow | null;
      readonly acceptedFile?: string | null;
      readonly activityAt?: number;
      readonly views?: number;
    },
  ): Promise<void> {
    this.connection.write(() => {
      const set = (column: string, value: string | number | null) =>
        this.connection.run(`UPDATE post SET ${column} = ? WHERE id = ?`, value, postId);
      if (fields.kind !== undefined) set("kind", fields.kind);
      if (fields.state !== undefined) set("state", fields.state);
      if (fields.caseId !== undefined) set("case_id", fields.caseId);
      if (fields.isPinned !== undefined) set("pinned", fields.isPinned ? 1 : 0);
      if (fields.activityAt !== undefined) set("activity_at", fields.activityAt);
      if (fields.views !== undefined) set("views", fields.views);
      if (fields.origin === null) this.connection.run("DELETE FROM origin WHERE post_id = ?", postId);
      else if (fields.origin !== undefined) setOrigin(this.connection, postId, fields.origin);
      if (fields.acceptedFile !== undefined)
        this.connection.run(
          "UPDATE post SET accepted_reply_id = (SELECT id FROM reply WHERE post_id = ? AND file = ? AND state = 'shown') WHERE id = ?",
          postId,
          fields.acceptedFile,
          postId,
        );
      this.connection.run(
        "UPDATE post SET listed = (pinned = 0 AND state NOT IN ('hidden', 'deleted')) WHERE id = ?",
        postId,
      );
    });
  }

  async post(id: number): Promise<Post | null> {
    return this.#wholePost(
      this.connection.get(`SELECT ${postColumns}, b.markdown FROM ${postTables} WHERE p.id = ?`, id),
    );
  }

  async postByFolder(folder: string): Promise<Post | null> {
    return this.#wholePost(
      this.connection.get(`SELECT ${postColumns}, b.markdown FROM ${postTables} WHERE p.folder = ?`, folder),
    );
  }

  #wholePost(row: Readonly<Record<string, unknown>> | undefined): Post | null {
    if (row === undefined) return null;
    return {
      ...postRowOf(row),
      markdown: String(row.markdown),
      symptoms: symptomsOf(this.connection, Number(row.id)),
    };
  }

  async replies(postId: number): Promise<Reply[]> {
    return this.connection.all(`${replyQuery} WHERE r.post_id = ? ORDER BY r.id`, postId).map(replyOf);
  }

  async reply(id: number): Promise<Reply | null> {
    const row = this.connection.get(`${replyQuery} WHERE r.id = ?`, id);
    return row === undefined ? null : replyOf(row);
  }

  async revisions(of: "post" | "reply", id: number): Promise<Revision[]> {
    return this.connection
      .all(
        `SELECT r.version, r.at, r.title, b.markdown, ${personColumns} FROM revision r
         JOIN person a ON a.id = r.editor_id JOIN body b ON b.id = r.body_id
         WHERE r.of_kind = ? AND r.of_id = ? ORDER BY r.version DESC`,
        of,
        id,
      )
      .map((row) => ({
        version: Number(row.version),
        at: Number(row.at),
        editor: personOf(row),
        title: row.title === null ? null : String(row.title),
        markdown: String(row.markdown),
      }));
  }

  async boosts(postId: number, limit: number): Promise<Boost[]> {
    return this.connection
      .all(
        `SELECT s.post_id, s.at, s.os, s.hardware, ${personColumns} FROM boost s JOIN person a ON a.id = s.person_id
         WHERE s.post_id = ? ORDER BY s.person_id LIMIT ?`,
        postId,
        limit,
      )
      .map((row) => ({
        postId: Number(row.post_id),
        person: personOf(row),
        at: Number(row.at),
        os: String(row.os),
        hardware: String(row.hardware),
      }));
  }

  async hasBoosted(postId: number, personId: number): Promise<boolean> {
    return (
      this.connection.get(
        "SELECT 1 AS found FROM boost WHERE post_id = ? AND person_id = ?",
        postId,
        personId,
      ) !== undefined
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
    return this.connection
      .all(
        `SELECT ${postColumns} FROM ${postTables} WHERE p.topic_id = ? AND p.listed = 1
         ${order.unanswered ? "AND p.replies = 0" : ""} AND (p.${column}, p.id) ${compare} (?, ?)
         ORDER BY p.${column} ${way}, p.id ${way} LIMIT ?`,
        topicId,
        key,
        id,
        order.limit + 1,
      )
      .map(postRowOf);
  }

  async pinned(topicId: number): Promise<PostRow[]> {
    return this.connection
      .all(
        `SELECT ${postColumns} FROM ${postTables} WHERE p.topic_id = ? AND p.pinned = 1 AND p.state NOT IN ('hidden', 'deleted')
         ORDER BY p.id DESC LIMIT 10`,
        topicId,
      )
      .map(postRowOf);
  }

  async originRows(topicId: number): Promise<PostRow[]> {
    return this.connection
      .all(
        `SELECT ${postColumns.replaceAll("o.", "g.")} FROM origin g CROSS JOIN post p ON p.id = g.post_id
         CROSS JOIN person a ON a.id = p.author_id CROSS JOIN body b ON b.id = p.body_id
         WHERE p.topic_id = ? ORDER BY g.position LIMIT 100`,
        topicId,
      )
      .map(postRowOf);
  }

  async byTag(tag: string, after: Cursor | null, limit: number): Promise<PostRow[]> {
    return this.connection
      .all(
        `SELECT ${postColumns} FROM post_tag w CROSS JOIN ${postTables} WHERE p.id = w.post_id AND w.tag = ? AND w.post_id < ?
         AND p.state NOT IN ('hidden', 'deleted') ORDER BY w.post_id DESC LIMIT ?`,
        tag,
        after?.id ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
      )
      .map(postRowOf);
  }

  async bySymptom(symptom: Symptom, limit: number): Promise<PostRow[]> {
    return this.connection
      .all(
        `SELECT ${postColumns} FROM symptom s CROSS JOIN post_symptom w CROSS JOIN ${postTables}
         WHERE s.kind = ? AND s.value = ? AND w.symptom_id = s.id AND p.id = w.post_id
         AND p.state NOT IN ('hidden', 'deleted') GROUP BY w.post_id ORDER BY w.post_id DESC LIMIT ?`,
        symptom.kind,
        symptom.value,
        limit,
      )
      .map(postRowOf);
  }

  async byCase(caseId: string): Promise<PostRow[]> {
    return this.connection
      .all(
        `SELECT ${postColumns} FROM ${postTables} WHERE p.case_id = ? AND p.state NOT IN ('hidden', 'deleted')
         ORDER BY p.id LIMIT 20`,
        caseId,
      )
      .map(postRowOf);
  }

  async tags(limit: number): Promise<Tag[]> {
    return this.connection
      .all("SELECT slug, posts FROM tag WHERE posts > 0 ORDER BY posts DESC, slug DESC LIMIT ?", limit)
      .map((row) => ({ slug: String(row.slug), posts: Number(row.posts) }));
  }

  async search(ask: SearchAsk): Promise<SearchHit[]> {
    return searchBoard(this.connection, ask);
  }

  async everyPost(after: number, limit: number): Promise<Post[]> {
    return this.connection
      .all(
        `SELECT ${postColumns}, b.markdown FROM ${postTables} WHERE p.id > ? AND p.state <> 'deleted' ORDER BY p.id LIMIT ?`,
        after,
        limit,
      )
      .map((row) => ({
        ...postRowOf(row),
        markdown: String(row.markdown),
        symptoms: symptomsOf(this.connection, Number(row.id)),
      }));
  }

  async keyOfDay(day: number, fresh: Uint8Array): Promise<Uint8Array> {
    const find = () => this.connection.get("SELECT key FROM key_of_day WHERE day = ?", day)?.key;
    const known = find();
    if (known instanceof Uint8Array) return known;
    return this.connection.write(() => {
      this.connection.run(
        "INSERT INTO key_of_day (day, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
        day,
        fresh,
      );
      return find() as Uint8Array;
    });
  }

  async countView(view: {
    postId: number;
    day: number;
    viewer: Uint8Array;
    minute: number;
    perMinute: number;
  }): Promise<boolean> {
    return this.connection.write(() => {
      if (!this.#isThere(view.postId)) return false;
      const name = `view ${view.postId}`;
      const used = this.connection.get(
        "SELECT used FROM rate WHERE window = ? AND name = ?",
        view.minute,
        name,
      );
      if (Number(used?.used ?? 0) >= view.perMinute) return false;
      const { changes } = this.connection.run(
        "INSERT INTO view_seen (day, post_id, viewer) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        view.day,
        view.postId,
        view.viewer,
      );
      if (changes === 0) return false;
      this.connection.run("UPDATE post SET views = views + 1 WHERE id = ?", view.postId);
      this.connection.run(
        "INSERT INTO rate (window, name, used) VALUES (?, ?, 1) ON CONFLICT (window, name) DO UPDATE SET used = used + 1",
        view.minute,
        name,
      );
      this.connection.run("DELETE FROM rate WHERE window < ?", view.minute - 5);
      return true;
    });
  }

  async purgeViews(keysBefore: number, seenBefore: number): Promise<void> {
    this.connection.write(() => {
      this.connection.run("DELETE FROM key_of_day WHERE day < ?", keysBefore);
      this.connection.run("DELETE FROM view_seen WHERE day < ?", seenBefore);
    });
  }

  async addCaseRun(run: Omit<CaseRunRow, "id">): Promise<void> {
    this.connection.write(() => {
      const { lastId } = this.connection.run(
        `INSERT INTO case_run (case_id, side, seed, drydock_version, build, verdict, result, trace_digest, wall_ms, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        run.caseId,
        run.side,
        run.seed,
        run.drydockVersion,
        run.build,
        run.verdict,
        run.result,
        run.traceDigest,
        run.wallMs,
        run.at,
      );
      this.connection.run(
        `INSERT INTO case_latest (case_id, side, run_id) VALUES (?, ?, ?)
         ON CONFLICT (case_id, side) DO UPDATE SET run_id = excluded.run_id`,
        run.caseId,
        run.side,
        lastId,
      );
    });
  }

  async caseRuns(caseId: string, limit: number): Promise<CaseRunRow[]> {
    return this.connection
      .all("SELECT * FROM case_run WHERE case_id = ? ORDER BY id DESC LIMIT ?", caseId, limit)
      .map(caseRunOf);
  }

  async latestRuns(): Promise<CaseRunRow[]> {
    return this.connection
      .all(
        "SELECT r.* FROM case_latest l CROSS JOIN case_run r ON r.id = l.run_id ORDER BY l.case_id, l.side LIMIT 1000",
      )
      .map(caseRunOf);
  }

  async importedHash(path: string): Promise<string | null> {
    const row = this.connection.get("SELECT hash FROM imported WHERE path = ?", path);
    return row === undefined ? null : String(row.hash);
  }

  async setImportedHash(path: string, hash: string): Promise<void> {
    this.connection.run(
      "INSERT INTO imported (path, hash) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET hash = excluded.hash",
      path,
      hash,
    );
  }

  async setting(name: string): Promise<string | null> {
    const row = this.connection.get("SELECT value FROM setting WHERE name = ?", name);
    return row === undefined ? null : String(row.value);
  }

  async setSetting(name: string, value: string): Promise<void> {
    this.connection.run(
      "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }

  async check(): Promise<StoreCheck> {
    return { faults: checkBoard(this.connection) };
  }

  async close(): Promise<void> {
    this.connection.close();
  }

  #doneBefore(act: ActKey): Done | null {
    if (act.key === null) return null;
    const row = this.connection.get("SELECT done_id FROM act WHERE key = ?", act.key);
    return row === undefined ? null : { id: Number(row.done_id), isNew: false };
  }

  #remember(act: ActKey, id: number): void {
    if (act.key === null) return;
    this.connection.run("INSERT INTO act (key, done_id, at) VALUES (?, ?, ?)", act.key, id, act.at);
    this.connection.run("DELETE FROM act WHERE at < ?", act.at - actLivesMs);
  }

  #isThere(postId: number): boolean {
    const row = this.connection.get("SELECT state FROM post WHERE id = ?", postId);
    return row !== undefined && isVisible(row.state);
  }
}

const replyQuery = `SELECT r.id, r.post_id, r.parent_id, r.kind, r.state, r.created_at, r.version, r.body_id, r.source, r.file,
  b.markdown, ${personColumns} FROM reply r CROSS JOIN person a ON a.id = r.author_id CROSS JOIN body b ON b.id = r.body_id`;

const isVisible = (state: unknown): boolean => state !== "hidden" && state !== "deleted";
const isListed = (state: PostState, isPinned: boolean): boolean => isVisible(state) && !isPinned;

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
