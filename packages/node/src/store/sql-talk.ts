// A talk with a database: what a store says, statement by statement, whoever answers, at once or over a wire.

export type Row = Readonly<Record<string, unknown>>;
export type SqlValue = string | number | null | Uint8Array;

export interface Statement {
  /** With `?` for each value, in the words that SQLite and PostgreSQL share (see postgres-words.ts). */
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** `id`: that of the one row which an INSERT makes. */
  readonly wants: "rows" | "changes" | "id";
}

export interface Answer {
  readonly rows: readonly Row[];
  /** Rows that a statement changed. */
  readonly changes: number;
  readonly id: number;
}

/**
 * A generator that yields statements and is given their answers. So one text of the store's rules serves a database
 * that answers inside the call (SQLite: nothing comes between two statements) and one that answers later.
 */
export type Talk<T> = Generator<Statement, T, Answer>;

export function* all(sql: string, ...values: SqlValue[]): Talk<readonly Row[]> {
  return (yield { sql, values, wants: "rows" }).rows;
}

export function* get(sql: string, ...values: SqlValue[]): Talk<Row | undefined> {
  return (yield { sql, values, wants: "rows" }).rows[0];
}

/** Answers how many rows it changed. */
export function* run(sql: string, ...values: SqlValue[]): Talk<number> {
  return (yield { sql, values, wants: "changes" }).changes;
}

/** Answers the id of the row that it makes. */
export function* insert(sql: string, ...values: SqlValue[]): Talk<number> {
  return (yield { sql, values, wants: "id" }).id;
}

/** What the index of words is asked: all of these, in one text. */
export interface WordAsk {
  readonly words: readonly string[];
  /** Also words that begin with the last one, or with any of four letters and more. */
  readonly isBegun: boolean;
  /** Only in title and symptoms. */
  readonly isNarrow: boolean;
}

export type Indexed = "post" | "reply";

/** The index of words of posts and replies: each database has its own kind. */
export interface WordIndex {
  /** Puts a post's words in the place of those before. */
  putPost(id: number, texts: { title: string; plain: string; symptoms: string }): Talk<void>;
  putReply(id: number, plain: string): Talk<void>;
  drop(of: Indexed, id: number): Talk<void>;
  /** Ids, newest first. */
  newest(of: Indexed, ask: WordAsk, limit: number): Talk<number[]>;
  /** Posts with a rank, lower is better, from about -20 to 0. */
  ranked(ask: WordAsk): Talk<readonly { readonly id: number; readonly rank: number }[]>;
}

/** A longer word also finds those that begin with it: no stemming, which would tear identifiers. */
const stemLength = 4;
export const isBeginning = (words: readonly string[], index: number): boolean =>
  index === words.length - 1 || words[index].length >= stemLength;

export interface SqlDatabase {
  readonly index: WordIndex;
  /** One statement. */
  rows(sql: string, ...values: SqlValue[]): Promise<readonly Row[]>;
  /** Statements that see one state of the board. */
  read<T>(talk: Talk<T>): Promise<T>;
  /** All of the talk or nothing, kept across a power cut when it has answered; one such talk at a time on one board. */
  write<T>(talk: Talk<T>): Promise<T>;
  /** What only one server of this board does at a time; it may read and write meanwhile. */
  alone<T>(act: () => Promise<T>): Promise<T>;
  /** What was deleted is in no file any more, as far as the database can say. */
  scrub(): Promise<void>;
  /** Faults of the database itself and of its index against these texts, one a line. */
  faults(): Promise<string[]>;
  close(): Promise<void>;
}
