// A SQLite connection with prepared statements kept by their text, and its errors in the store's words.

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { StoreTrouble } from "@drydock/board/refusal";
import type { Answer, Row, Talk } from "./sql-talk.ts";

/** What is kept in the file, and what helps when it is damaged: its troubles are told with these words. */
export interface SqliteUse {
  readonly what: string;
  readonly repair: string;
}

const boardUse: SqliteUse = {
  what: "The board's database",
  repair: "Restore a backup with: drydock board restore FILE",
};

export class SqliteConnection {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly #use: SqliteUse;
  readonly #statements = new Map<string, StatementSync>();
  /** Called with each statement's text before it runs: what a test of query plans listens to. */
  onQuery: ((sql: string) => void) | null = null;

  constructor(path: string, options: { readonly readOnly?: boolean; readonly what?: SqliteUse } = {}) {
    this.path = path;
    this.#use = options.what ?? boardUse;
    this.db = inOurWords(
      path,
      this.#use,
      () => new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 2000 }),
    );
    if (options.readOnly !== true) {
      this.exec("PRAGMA journal_mode = WAL");
      // FULL: an acknowledged act survives a power cut, not only the end of the process.
      this.exec("PRAGMA synchronous = FULL");
    }
    this.exec(
      "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = -32000",
    );
  }

  exec(sql: string): void {
    inOurWords(this.path, this.#use, () => this.db.exec(sql));
  }

  #prepare(sql: string): StatementSync {
    this.onQuery?.(sql);
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return inOurWords(this.path, this.#use, () => this.#prepare(sql).all(...values));
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return inOurWords(this.path, this.#use, () => this.#prepare(sql).get(...values));
  }

  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number; readonly lastId: number } {
    return inOurWords(this.path, this.#use, () => {
      const statement = this.#prepare(sql);
      // The index numbers its own segments beyond 2^53, and that is what the last row was after some of its inserts.
      statement.setReadBigInts(true);
      const { changes, lastInsertRowid } = statement.run(...values);
      return { changes: Number(changes), lastId: Number(lastInsertRowid) };
    });
  }

  /** All of `act` or nothing. Throws what `act` throws, and StoreTrouble. */
  write<T>(act: () => T): T {
    this.exec("BEGIN IMMEDIATE");
    try {
      const answer = act();
      this.exec("COMMIT");
      return answer;
    } catch (error) {
      // Some errors (a full disk) have already rolled back.
      if (this.db.isTransaction) this.exec("ROLLBACK");
      throw error;
    }
  }

  /** Holds the talk inside this call: nothing comes between its statements. */
  hold<T>(talk: Talk<T>): T {
    let answer: Answer = { rows: [], changes: 0, id: 0 };
    for (;;) {
      const step = talk.next(answer);
      if (step.done === true) return step.value;
      const { sql, values, wants } = step.value;
      if (wants === "rows") answer = { rows: this.all(sql, ...values), changes: 0, id: 0 };
      else {
        const { changes, lastId } = this.run(sql, ...values);
        answer = { rows: [], changes, id: lastId };
      }
    }
  }

  pragma(name: string): unknown {
    const row = inOurWords(this.path, this.#use, () => this.db.prepare(`PRAGMA ${name}`).get());
    return row === undefined ? undefined : Object.values(row)[0];
  }

  close(): void {
    this.#statements.clear();
    if (this.db.isOpen) this.db.close();
  }
}

/** SQLite's primary result codes (sqlite.org, "Result and Error Codes"). */
function inOurWords<T>(path: string, use: SqliteUse, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw troubleOf(error, path, use) ?? error;
  }
}

function troubleOf(error: unknown, path: string, { what, repair }: SqliteUse): StoreTrouble | null {
  if (!(error instanceof Error) || !("errcode" in error)) return null;
  const code = Number(error.errcode) & 0xff;
  switch (code) {
    case 5:
    case 6:
      return new StoreTrouble(
        "locked",
        `${what} ${path} is held by another program. Try again in a moment.`,
        error,
      );
    case 8:
      return new StoreTrouble(
        "read_only",
        `${what} ${path} cannot be written: its file or folder is read-only.`,
        error,
      );
    case 10:
    case 14:
      return new StoreTrouble(
        code === 10 ? "unknown" : "read_only",
        `${what} ${path} cannot be ${code === 10 ? "read or written" : "opened"}: ${error.message}.`,
        error,
      );
    case 11:
    case 26:
      return new StoreTrouble(
        "damaged",
        `${what} ${path} is damaged (${error.message}). Nothing was written to it. ${repair}`,
        error,
      );
    case 13:
      return new StoreTrouble(
        "full",
        "The disk is full: nothing of this act was kept. Make room and send it again.",
        error,
      );
    default:
      return null;
  }
}
