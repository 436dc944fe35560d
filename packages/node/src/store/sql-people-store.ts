// What the board keeps of people, over SQL: accounts, passkeys, passwords, sessions, tickets and limits.

import type { Account, Passkey, PeopleStore, PersonState, Session } from "@drydock/board/people-store";
import type { Role } from "@drydock/board/records";
import { personColumns, personOf } from "./board-rows.ts";
import { gapsPlace, keepSpace, minuteMs, takeOne, windowEnd } from "./sql-limits.ts";
import { get, insert, type Row, run, type SqlDatabase, type SqlValue } from "./sql-talk.ts";

const accountQuery = `SELECT ${personColumns}, a.state, a.created_at FROM person a`;

export class SqlPeopleStore implements PeopleStore {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async #one<T>(of: (row: Row) => T, sql: string, ...values: SqlValue[]): Promise<T | null> {
    const [row] = await this.#database.rows(sql, ...values);
    return row === undefined ? null : of(row);
  }

  async #all<T>(of: (row: Row) => T, sql: string, ...values: SqlValue[]): Promise<T[]> {
    return (await this.#database.rows(sql, ...values)).map(of);
  }

  async #changed(sql: string, ...values: SqlValue[]): Promise<boolean> {
    return (await this.#database.write(run(sql, ...values))) > 0;
  }

  async add(handle: string, shownName: string, role: Role, at: number): Promise<Account | null> {
    return await this.#database.write(
      (function* () {
        if ((yield* get("SELECT id FROM person WHERE handle = ?", handle)) !== undefined) return null;
        const id = yield* insert(
          "INSERT INTO person (handle, shown_name, role, created_at) VALUES (?, ?, ?, ?)",
          handle,
          shownName,
          role,
          at,
        );
        return { id, handle, shownName, role, isKnown: false, state: "active" as const, createdAt: at };
      })(),
    );
  }

  byId(id: number): Promise<Account | null> {
    return this.#one(accountOf, `${accountQuery} WHERE a.id = ?`, id);
  }

  byHandle(handle: string): Promise<Account | null> {
    return this.#one(accountOf, `${accountQuery} WHERE a.handle = ?`, handle);
  }

  list(words: string, before: number | null, limit: number): Promise<Account[]> {
    const like = `%${words.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
    return this.#all(
      accountOf,
      `${accountQuery} WHERE a.id < ? AND a.state <> 'deleted' AND a.role <> 'project'
       AND (lower(a.handle) LIKE ? ESCAPE '\\' OR lower(a.shown_name) LIKE ? ESCAPE '\\') ORDER BY a.id DESC LIMIT ?`,
      before ?? Number.MAX_SAFE_INTEGER,
      like,
      like,
      limit,
    );
  }

  setName(id: number, shownName: string): Promise<boolean> {
    return this.#changed(
      "UPDATE person SET shown_name = ? WHERE id = ? AND state <> 'deleted'",
      shownName,
      id,
    );
  }

  async cared(id: number): Promise<number> {
    const count = await this.#one(
      (row) => Number(row.n),
      "SELECT count(*) AS n FROM (SELECT 1 AS one FROM care c WHERE c.person_id = ? LIMIT 10) g",
      id,
    );
    return count ?? 0;
  }

  async setKnown(id: number, at: number): Promise<void> {
    await this.#changed("UPDATE person SET trusted_at = ? WHERE id = ? AND trusted_at IS NULL", at, id);
  }

  async remove(id: number): Promise<boolean> {
    return await this.#database.write(
      (function* () {
        const changes = yield* run(
          `UPDATE person SET state = 'deleted', handle = ?, shown_name = 'deleted person', role = 'reader'
           WHERE id = ? AND state <> 'deleted'`,
          `deleted-${id}`,
          id,
        );
        if (changes === 0) return false;
        for (const table of ["passkey", "password", "session", "watch", "notice", "notice_feed"])
          yield* run(`DELETE FROM ${table} WHERE person_id = ?`, id);
        return true;
      })(),
    );
  }

  async owners(): Promise<number> {
    const count = await this.#one(
      (row) => Number(row.n),
      `SELECT count(*) AS n FROM person a WHERE a.role = 'owner' AND a.state = 'active' AND
       (EXISTS (SELECT 1 FROM passkey k WHERE k.person_id = a.id) OR EXISTS (SELECT 1 FROM password w WHERE w.person_id = a.id))`,
    );
    return count ?? 0;
  }

  addPasskey(passkey: Omit<Passkey, "id" | "lastUsedAt">): Promise<boolean> {
    return this.#changed(
      `INSERT INTO passkey (person_id, passkey_id, public_key, sign_count, transports, created_at, last_used_at)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      passkey.personId,
      passkey.passkeyId,
      passkey.publicKey,
      passkey.signCount,
      passkey.transports,
      passkey.createdAt,
      passkey.createdAt,
    );
  }

  passkey(passkeyId: string): Promise<Passkey | null> {
    return this.#one(passkeyOf, "SELECT * FROM passkey WHERE passkey_id = ?", passkeyId);
  }

  passkeys(personId: number): Promise<Passkey[]> {
    return this.#all(passkeyOf, "SELECT * FROM passkey WHERE person_id = ? ORDER BY id", personId);
  }

  async usePasskey(id: number, signCount: number, at: number): Promise<void> {
    await this.#changed(
      "UPDATE passkey SET sign_count = ?, last_used_at = ? WHERE id = ?",
      signCount,
      at,
      id,
    );
  }

  removePasskey(personId: number, id: number): Promise<boolean> {
    return this.#changed("DELETE FROM passkey WHERE person_id = ? AND id = ?", personId, id);
  }

  async setPassword(personId: number, hash: string | null, at: number): Promise<void> {
    if (hash === null) await this.#changed("DELETE FROM password WHERE person_id = ?", personId);
    else
      await this.#changed(
        `INSERT INTO password (person_id, hash, created_at) VALUES (?, ?, ?)
         ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at`,
        personId,
        hash,
        at,
      );
  }

  passwordHash(personId: number): Promise<string | null> {
    return this.#one((row) => String(row.hash), "SELECT hash FROM password WHERE person_id = ?", personId);
  }

  async addSession(session: Session): Promise<void> {
    await this.#changed(
      "INSERT INTO session (id, person_id, created_at, seen_at, expires_at, agent) VALUES (?, ?, ?, ?, ?, ?)",
      session.id,
      session.personId,
      session.createdAt,
      session.seenAt,
      session.expiresAt,
      session.agent,
    );
  }

  session(id: string, now: number): Promise<Session | null> {
    return this.#one(sessionOf, "SELECT * FROM session WHERE id = ? AND expires_at > ?", id, now);
  }

  async seen(id: string, at: number): Promise<void> {
    await this.#changed("UPDATE session SET seen_at = ? WHERE id = ?", at, id);
  }

  sessions(personId: number, now: number): Promise<Session[]> {
    return this.#all(
      sessionOf,
      "SELECT * FROM session WHERE person_id = ? AND expires_at > ? ORDER BY created_at, id LIMIT 200",
      personId,
      now,
    );
  }

  endSession(personId: number, id: string): Promise<boolean> {
    return this.#changed("DELETE FROM session WHERE person_id = ? AND id = ?", personId, id);
  }

  async endSessions(personId: number, but: string | null): Promise<void> {
    await this.#changed("DELETE FROM session WHERE person_id = ? AND id <> ?", personId, but ?? "");
  }

  async putTicket(id: string, kind: string, value: string, expiresAt: number): Promise<void> {
    await this.#changed(
      "INSERT INTO ticket (id, kind, value, expires_at) VALUES (?, ?, ?, ?)",
      id,
      kind,
      value,
      expiresAt,
    );
  }

  async takeTicket(id: string, kind: string, now: number): Promise<string | null> {
    return await this.#database.write(
      (function* () {
        const row = yield* get(
          "SELECT value FROM ticket WHERE id = ? AND kind = ? AND expires_at > ?",
          id,
          kind,
          now,
        );
        if (row === undefined) return null;
        yield* run("DELETE FROM ticket WHERE id = ?", id);
        return String(row.value);
      })(),
    );
  }

  async dropTickets(kind: string): Promise<void> {
    await this.#changed("DELETE FROM ticket WHERE kind = ?", kind);
  }

  async take(limit: Parameters<PeopleStore["take"]>[0]): Promise<number> {
    return await this.#database.write(takeOne(limit));
  }

  async taken({ name, windowMs, now }: Parameters<PeopleStore["taken"]>[0]): Promise<number> {
    const used = await this.#one(
      (row) => Number(row.used),
      'SELECT used FROM rate WHERE "window" = ? AND name = ?',
      Math.ceil(windowEnd(windowMs, now) / minuteMs),
      name,
    );
    return used ?? 0;
  }

  async space(limit: Parameters<PeopleStore["space"]>[0]): Promise<number> {
    return await this.#database.write(keepSpace(limit));
  }

  async forget(now: number): Promise<void> {
    await this.#database.write(
      (function* () {
        yield* run("DELETE FROM session WHERE expires_at <= ?", now);
        yield* run("DELETE FROM ticket WHERE expires_at <= ?", now);
        yield* run('DELETE FROM rate WHERE "window" < ?', Math.floor(now / minuteMs) - 5);
        yield* run('DELETE FROM rate WHERE "window" = ? AND used < ?', gapsPlace, now - 60 * minuteMs);
      })(),
    );
  }
}

const accountOf = (row: Row): Account => ({
  ...personOf(row),
  state: row.state as PersonState,
  createdAt: Number(row.created_at),
});

const passkeyOf = (row: Row): Passkey => ({
  id: Number(row.id),
  personId: Number(row.person_id),
  passkeyId: String(row.passkey_id),
  publicKey: new Uint8Array(row.public_key as Uint8Array),
  signCount: Number(row.sign_count),
  transports: String(row.transports),
  createdAt: Number(row.created_at),
  lastUsedAt: Number(row.last_used_at),
});

const sessionOf = (row: Row): Session => ({
  id: String(row.id),
  personId: Number(row.person_id),
  createdAt: Number(row.created_at),
  seenAt: Number(row.seen_at),
  expiresAt: Number(row.expires_at),
  agent: String(row.agent),
});
