// The way to a PostgreSQL server by the library pg, which is read only when a board is kept there.

import { StoreTrouble } from "@drydock/board/refusal";
import type { Client, Pool } from "pg";
import { shownDatabase } from "./database-url.ts";
import { PostgresDatabase, type PostgresDoor, type PostgresSession } from "./postgres.ts";
import { SessionGate } from "./session-gate.ts";
import { SqlBoardStore } from "./sql-board-store.ts";
import type { Row } from "./sql-talk.ts";

const mostConnections = 8;
/**
 * Of these, for those who write: however many read, one is free for each step of theirs, and the database does not do
 * much else meanwhile. Three readers keep one thread of Node busy.
 */
const keptForWriters = 5;
const answerMs = 10_000;
/** Whoever holds the writers' lock and says nothing more loses it. */
const silenceMs = 15_000;
const waitMs = 5_000;
/** A server that was just woken, or whose machine is busy, still lets in. */
const connectMs = 15_000;

/** The board in the database at this address. Throws StoreTrouble. */
export async function openPostgresBoard(url: URL): Promise<SqlBoardStore> {
  return new SqlBoardStore(await PostgresDatabase.open(await doorTo(url)));
}

/** What a server's session can besides. */
export interface ServerSession extends PostgresSession {
  /** Several statements without values; the rows of all of them. */
  everyRow(sql: string): Promise<readonly Row[]>;
}

export interface ServerDoor extends PostgresDoor {
  session(): Promise<ServerSession>;
}

/** `application`: how the server lists who asks. */
export async function doorTo(url: URL, application = "drydock board"): Promise<ServerDoor> {
  const name = shownDatabase(url);
  let pg: typeof import("pg");
  try {
    pg = (await import("pg")).default as unknown as typeof import("pg");
  } catch (error) {
    throw new StoreTrouble("unknown", "The library pg is missing: npm install pg", error);
  }
  const pool: Pool = new pg.Pool({
    connectionString: url.href,
    application_name: application,
    max: mostConnections,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: 60_000,
    statement_timeout: answerMs,
    lock_timeout: waitMs,
    idle_in_transaction_session_timeout: silenceMs,
    // The server itself ends a slow statement; this is for one that says nothing more.
    query_timeout: 60_000,
    keepAlive: true,
  });
  // A connection that dies at rest leaves the pool by itself; whoever asks next hears of a server that is away.
  pool.on("error", () => {});
  const gate = new SessionGate(mostConnections, keptForWriters);
  return {
    name,
    async session() {
      const leave = await gate.enter();
      const client = await pool.connect().catch((error) => {
        leave();
        throw error;
      });
      let isReleased = false;
      // One that dies while it is ours is heard of by the statement that it answers.
      const quiet = () => {};
      client.on("error", quiet);
      return {
        async query(sql, values) {
          const { rows, rowCount } = await client.query({
            ...preparedName(sql),
            text: sql,
            values: values.map(parameterOf),
          });
          return { rows: rows as readonly Row[], changes: rowCount ?? 0 };
        },
        script: async (sql) => (await answersOf(client, sql)).findLast((rows) => rows.length > 0) ?? [],
        everyRow: async (sql) => (await answersOf(client, sql)).flat(),
        release(broken) {
          if (isReleased) return;
          isReleased = true;
          client.off("error", quiet);
          if (broken) client.on("error", quiet);
          client.release(broken);
          leave();
        },
      };
    },
    close: () => pool.end(),
  };
}

/** Texts that a session has planned once; more than there are places in our sources must be made of something else. */
const mostPrepared = 400;
const prepared = new Map<string, string>();

/**
 * A statement under a name is planned once for each session, which halves what a page of a list costs the server. One
 * with a star is not: another server may add a column meanwhile, and a plan whose columns change is refused.
 */
function preparedName(sql: string): { readonly name?: string } {
  const known = prepared.get(sql);
  if (known !== undefined) return { name: known };
  if (prepared.size >= mostPrepared || /SELECT \*|\w\.\*|RETURNING \*/i.test(sql)) return {};
  const name = `drydock_${prepared.size}`;
  prepared.set(sql, name);
  return { name };
}

const parameterOf = (value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value) : value);

/** The rows of each statement. */
async function answersOf(client: Pick<Client, "query">, sql: string): Promise<readonly (readonly Row[])[]> {
  const answers: unknown = await client.query(sql);
  const list = (Array.isArray(answers) ? answers : [answers]) as { rows?: readonly Row[] }[];
  return list.map(({ rows }) => rows ?? []);
}
