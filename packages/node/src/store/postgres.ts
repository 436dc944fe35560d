// PostgreSQL below the board: one writer at a time on one board, many readers, its errors in the store's words.

import { setTimeout } from "node:timers/promises";
import { StoreTrouble } from "@drydock/board/refusal";
import { postgresIndex, postgresIndexFaults } from "./postgres-index.ts";
import { postgresSteps } from "./postgres-schema.ts";
import { inPostgresWords } from "./postgres-words.ts";
import { urgently } from "./session-gate.ts";
import type { Answer, Row, SqlDatabase, SqlValue, Talk } from "./sql-talk.ts";

/** One session with the server: pg's client, or pglite in tests. */
export interface PostgresSession {
  query(sql: string, values: readonly SqlValue[]): Promise<{ rows: readonly Row[]; changes: number }>;
  /** Several statements without values; answers the rows of the last that has some. */
  script(sql: string): Promise<readonly Row[]>;
  /** `broken`: it is of no use any more. */
  release(broken: boolean): void;
}

export interface PostgresDoor {
  /** How people are told of it: without a password. */
  readonly name: string;
  session(): Promise<PostgresSession>;
  close(): Promise<void>;
}

/**
 * Held by whoever writes to a board, until the transaction ends: writers of all servers go one after the other, as they
 * do in SQLite, so counters, keys and limits need no second rule. Readers never wait.
 */
const writersLock = 0x44524459;

/** Held by the server that brings in what came with its version. */
const aloneLock = writersLock + 1;
const aloneMs = 60_000;
const aloneStepMs = 50;

const beginWriting = `BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_advisory_xact_lock(${writersLock});
SELECT version FROM board_schema`;
const beginReading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

export class PostgresDatabase implements SqlDatabase {
  readonly index = postgresIndex;
  readonly #door: PostgresDoor;
  /** Called with each statement's text, as the server gets it. */
  onQuery: ((sql: string) => void) | null = null;

  private constructor(door: PostgresDoor) {
    this.#door = door;
  }

  /** Makes the tables in an empty database, takes older ones up. Throws StoreTrouble: away, newer, not ours. */
  static async open(door: PostgresDoor): Promise<PostgresDatabase> {
    const database = new PostgresDatabase(door);
    try {
      await database.#takeUp();
    } catch (error) {
      await door.close();
      throw error;
    }
    return database;
  }

  async #takeUp(): Promise<void> {
    await this.#within(
      `BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(${writersLock})`,
      async (session) => {
        const [found] = await session.script(
          `SELECT to_regclass('board_schema') IS NOT NULL AS ours,
         (SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace) AS tables`,
        );
        let version = 0;
        if (found?.ours === true) {
          const [row] = await session.script("SELECT version FROM board_schema");
          version = Number(row?.version ?? 0);
        } else if (Number(found?.tables) > 0) {
          throw new StoreTrouble(
            "damaged",
            `${this.#door.name} has tables, but no board of Drydock's. It was not touched: make an empty database for the board.`,
          );
        } else {
          await session.script(
            "CREATE TABLE board_schema (version INTEGER NOT NULL); INSERT INTO board_schema VALUES (0)",
          );
        }
        if (version > postgresSteps.length) throw newerSchema(this.#door.name, version);
        if (version === postgresSteps.length) return;
        for (const step of postgresSteps.slice(version)) await session.script(step);
        await session.script(`UPDATE board_schema SET version = ${postgresSteps.length}`);
      },
    );
  }

  async rows(sql: string, ...values: SqlValue[]): Promise<readonly Row[]> {
    const text = inPostgresWords(sql);
    this.onQuery?.(text);
    for (let attempt = 1; ; attempt++) {
      let session: PostgresSession | null = null;
      try {
        session = await this.#door.session();
        const { rows } = await session.query(text, values);
        session.release(false);
        return rows;
      } catch (error) {
        session?.release(isAway(error));
        // What only reads may be asked again when a connection had died in the pool.
        if (attempt === 2 || !isAway(error)) throw inOurWords(error, this.#door.name, false);
      }
    }
  }

  read<T>(talk: Talk<T>): Promise<T> {
    return this.#within(beginReading, (session) => this.#hold(session, talk));
  }

  write<T>(talk: Talk<T>): Promise<T> {
    return this.#within(beginWriting, async (session, begun) => {
      const version = Number(begun[0]?.version);
      if (version !== postgresSteps.length) throw newerSchema(this.#door.name, version);
      return await this.#hold(session, talk);
    });
  }

  async #hold<T>(session: PostgresSession, talk: Talk<T>): Promise<T> {
    let answer: Answer = { rows: [], changes: 0, id: 0 };
    for (;;) {
      const step = talk.next(answer);
      if (step.done === true) return step.value;
      const { sql, values, wants } = step.value;
      const text = inPostgresWords(wants === "id" ? `${sql} RETURNING id` : sql);
      this.onQuery?.(text);
      const { rows, changes } = await session.query(text, values);
      answer = { rows, changes, id: wants === "id" ? Number(rows[0]?.id) : 0 };
    }
  }

  /** All of `act` between `begin` and COMMIT, or nothing. */
  async #within<T>(
    begin: string,
    act: (session: PostgresSession, begun: readonly Row[]) => Promise<T>,
  ): Promise<T> {
    const [session, begun] = await this.#begin(begin);
    let isCommitting = false;
    let isBroken = false;
    try {
      const answer = await act(session, begun);
      isCommitting = true;
      await session.script("COMMIT");
      return answer;
    } catch (error) {
      isBroken = isAway(error);
      if (!isBroken) {
        try {
          await session.script("ROLLBACK");
        } catch {
          isBroken = true;
        }
      }
      throw inOurWords(error, this.#door.name, isCommitting);
    } finally {
      session.release(isBroken);
    }
  }

  /** A connection that died while it waited in the pool is found out here, before anything was said: once again, then. */
  async #begin(begin: string): Promise<[PostgresSession, readonly Row[]]> {
    for (let attempt = 1; ; attempt++) {
      let session: PostgresSession | null = null;
      try {
        session = await this.#door.session();
        return [session, await session.script(begin)];
      } catch (error) {
        if (session !== null && !isAway(error)) await session.script("ROLLBACK").catch(() => {});
        session?.release(true);
        if (attempt === 2 || !isAway(error)) throw inOurWords(error, this.#door.name, false);
      }
    }
  }

  async alone<T>(act: () => Promise<T>): Promise<T> {
    // Held for long: not one of those that what is done meanwhile reads with.
    const session = await urgently(() => this.#door.session()).catch((error) => {
      throw inOurWords(error, this.#door.name, false);
    });
    // The lock is the session's and ends with it, however it ends.
    try {
      for (let waited = 0; ; waited += aloneStepMs) {
        const [row] = await session.script(`SELECT pg_try_advisory_lock(${aloneLock}) AS mine`);
        if (row?.mine === true) break;
        if (waited >= aloneMs)
          throw new StoreTrouble(
            "locked",
            `Another server of the board in ${this.#door.name} has been starting for ${aloneMs / 1000} s. End it, or wait and start this one again.`,
          );
        await setTimeout(aloneStepMs);
      }
      const answer = await act();
      await session.script(`SELECT pg_advisory_unlock(${aloneLock})`);
      return answer;
    } catch (error) {
      throw inOurWords(error, this.#door.name, false);
    } finally {
      session.release(true);
    }
  }

  async scrub(): Promise<void> {
    let session: PostgresSession | null = null;
    try {
      session = await this.#door.session();
      await session.script("VACUUM evidence_bytes");
      session.release(false);
    } catch {
      // The rows are gone; the server's own vacuum frees their room later.
      session?.release(true);
    }
  }

  async faults(): Promise<string[]> {
    return await this.read(postgresIndexFaults());
  }

  async close(): Promise<void> {
    await this.#door.close();
  }
}

const newerSchema = (name: string, version: number): StoreTrouble =>
  new StoreTrouble(
    "newer_schema",
    `The board's database ${name} has schema version ${version}; this Drydock knows versions up to ${postgresSteps.length}. Another server took it up: use the newer Drydock here too.`,
  );

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** The server is gone, or never was there: class 08 and 57P of "PostgreSQL Error Codes", and the system's words. */
export function isAway(error: unknown): boolean {
  const code = codeOf(error);
  if (/^(?:08|57P0)/.test(code)) return true;
  if (
    /^E(?:CONNREFUSED|CONNRESET|PIPE|NOENT|TIMEDOUT|HOSTUNREACH|NETUNREACH|ADDRNOTAVAIL|NOTFOUND|AI_AGAIN)$/.test(
      code,
    )
  )
    return true;
  return (
    code === "" &&
    error instanceof Error &&
    /connection (?:terminated|closed|ended)|client has encountered a connection error|timeout (?:exceeded|expired)|read timeout|connection timeout|not queryable/i.test(
      error.message,
    )
  );
}

export function inOurWords(
  error: unknown,
  name: string,
  isCommitting: boolean,
  what = "The board's database",
): unknown {
  if (error instanceof StoreTrouble) return error;
  const code = codeOf(error);
  if (isAway(error))
    return new StoreTrouble(
      "away",
      isCommitting
        ? `${what} ${name} went away while it was keeping this act: nobody can say whether it is kept. Send it again in a moment; the same form sent twice is one act.`
        : `${what} ${name} does not answer${code === "" ? "" : ` (${code})`}. Nothing of this act was kept; send it again in a moment.`,
      error,
    );
  if (code === "55P03" || code === "57014" || code === "40P01" || code === "40001" || code === "53300")
    return new StoreTrouble(
      "locked",
      `${what} ${name} is busy (${code}). Nothing of this act was kept; try again in a moment.`,
      error,
    );
  if (code === "53100" || code === "53200")
    return new StoreTrouble(
      "full",
      "The database's disk or memory is full: nothing of this act was kept. Make room and send it again.",
      error,
    );
  if (code === "25006" || code === "42501")
    return new StoreTrouble(
      "read_only",
      `${what} ${name} cannot be written by this user${code === "25006" ? ": the server is read-only" : ""}.`,
      error,
    );
  if (code.startsWith("XX"))
    return new StoreTrouble("damaged", `${what} ${name} says that it is damaged (${code}).`, error);
  if (code.startsWith("28") || code === "3D000")
    return new StoreTrouble(
      "unknown",
      code === "3D000"
        ? `There is no database of the name in ${name}: make it with createdb.`
        : `${name} refuses this user or password (${code}).`,
      error,
    );
  return error;
}
