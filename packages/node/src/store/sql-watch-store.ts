// Watching over SQL: who is told of what, and what they have read.

import type { Notice, NoticeKind, Watched, WatchRow, WatchStore } from "@drydock/board/watch-store";
import { watchFromNow } from "./board-notices.ts";
import { orNull, personColumns, personOf } from "./board-rows.ts";
import { get, run, type SqlDatabase } from "./sql-talk.ts";

export class SqlWatchStore implements WatchStore {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  watch(personId: number, of: Watched, id: number, at: number): Promise<boolean> {
    return this.#database.write(
      (function* () {
        const found = yield* get(
          of === "post"
            ? "SELECT 1 AS found FROM post WHERE id = ? AND state NOT IN ('hidden', 'deleted')"
            : "SELECT 1 AS found FROM topic WHERE id = ?",
          id,
        );
        if (found === undefined) return false;
        yield* watchFromNow(personId, of, id, at);
        return true;
      })(),
    );
  }

  async unwatch(personId: number, of: Watched, id: number): Promise<void> {
    await this.#database.write(
      run("DELETE FROM watch WHERE person_id = ? AND of_kind = ? AND of_id = ?", personId, of, id),
    );
  }

  async isWatching(personId: number, of: Watched, id: number): Promise<boolean> {
    const rows = await this.#database.rows(
      "SELECT 1 AS found FROM watch WHERE person_id = ? AND of_kind = ? AND of_id = ?",
      personId,
      of,
      id,
    );
    return rows.length > 0;
  }

  async watched(personId: number, limit: number): Promise<WatchRow[]> {
    const rows = await this.#database.rows(
      `SELECT w.of_kind, w.of_id, COALESCE(p.title, t.name) AS title FROM watch w
       LEFT JOIN post p ON w.of_kind = 'post' AND p.id = w.of_id AND p.state NOT IN ('hidden', 'deleted')
       LEFT JOIN topic t ON w.of_kind = 'topic' AND t.id = w.of_id
       WHERE w.person_id = ? ORDER BY w.of_kind DESC, w.of_id DESC LIMIT ?`,
      personId,
      limit,
    );
    return rows
      .filter(({ title }) => title !== null)
      .map((row) => ({ of: row.of_kind as Watched, id: Number(row.of_id), title: String(row.title) }));
  }

  async notices(personId: number, before: number | null, limit: number): Promise<Notice[]> {
    const rows = await this.#database.rows(
      `SELECT n.id, n.kind, n.post_id, n.reply_id, n.at, n.read_at, p.title, p.state, ${personColumns}
       FROM notice n CROSS JOIN person a ON a.id = n.actor_id LEFT JOIN post p ON p.id = n.post_id
       LEFT JOIN reply r ON r.id = n.reply_id
       WHERE n.person_id = ? AND n.id < ? AND COALESCE(p.state, 'open') <> 'deleted'
       AND (n.kind IN ('hidden', 'shown') OR (COALESCE(p.state, 'open') <> 'hidden' AND COALESCE(r.state, 'shown') = 'shown'))
       ORDER BY n.id DESC LIMIT ?`,
      personId,
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    );
    return rows.map((row) => ({
      id: Number(row.id),
      kind: row.kind as NoticeKind,
      postId: orNull(row.post_id),
      replyId: orNull(row.reply_id),
      title: String(row.title ?? ""),
      actor: personOf(row),
      at: Number(row.at),
      isRead: row.read_at !== null,
    }));
  }

  async unread(personId: number): Promise<number> {
    const [row] = await this.#database.rows(
      "SELECT count(*) AS n FROM (SELECT 1 AS one FROM notice WHERE person_id = ? AND read_at IS NULL LIMIT 100) g",
      personId,
    );
    return Number(row?.n ?? 0);
  }

  async read(personId: number, upTo: number): Promise<void> {
    await this.#database.write(
      run(
        "UPDATE notice SET read_at = at WHERE person_id = ? AND id <= ? AND read_at IS NULL",
        personId,
        upTo,
      ),
    );
  }

  async setFeed(personId: number, hash: string | null): Promise<void> {
    await this.#database.write(
      hash === null
        ? run("DELETE FROM notice_feed WHERE person_id = ?", personId)
        : run(
            "INSERT INTO notice_feed (person_id, hash) VALUES (?, ?) ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash",
            personId,
            hash,
          ),
    );
  }

  async feedOf(hash: string): Promise<number | null> {
    const [row] = await this.#database.rows("SELECT person_id FROM notice_feed WHERE hash = ?", hash);
    return orNull(row?.person_id);
  }

  async forgetNotices(at: number): Promise<void> {
    await this.#database.write(run("DELETE FROM notice WHERE at < ?", at));
  }
}
