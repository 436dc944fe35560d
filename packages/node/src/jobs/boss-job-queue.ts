// Jobs in PostgreSQL by the library pg-boss, for any number of machines; answers and notes lie beside.

import { StoreTrouble } from "@drydock/board/refusal";
import type { PgBoss } from "pg-boss";
import { inOurWords, isAway } from "../store/postgres.ts";
import type { ServerDoor, ServerSession } from "../store/postgres-door.ts";
import type { SqlValue } from "../store/sql-talk.ts";
import {
  attemptsMost,
  type EndedJob,
  inOrder,
  type JobQueue,
  type NewJob,
  silenceMs,
  type TakenJob,
} from "./job-queue.ts";

/** pg-boss's tables and ours: nothing else of the database is touched. */
const bossSchema = "drydock_boss";
const ours = "drydock_jobs";
const givenUp = "drydock.given-up";
const what = "The queue";

const tables = `
BEGIN;
SELECT pg_advisory_xact_lock(1145328977);
CREATE SCHEMA IF NOT EXISTS ${ours};
CREATE TABLE IF NOT EXISTS ${ours}.answers (
  queue text NOT NULL, id uuid NOT NULL, answer text, why text NOT NULL DEFAULT '', ended boolean NOT NULL, PRIMARY KEY (queue, id)
);
CREATE TABLE IF NOT EXISTS ${ours}.notes (key text PRIMARY KEY, text text NOT NULL);
COMMIT;
`;

interface Wrapped {
  readonly queue: string;
  readonly id: string;
  readonly data: unknown;
}

export interface BossQueueOptions {
  /** Looks after jobs whose holder fell silent, as every worker does; false: only looks at what is there. */
  readonly isSupervised?: boolean;
}

/** Throws StoreTrouble: the server is away, or its tables are of a newer pg-boss. */
export async function openBossQueue(door: ServerDoor, options: BossQueueOptions = {}): Promise<JobQueue> {
  const { isSupervised = true } = options;
  let library: typeof import("pg-boss");
  try {
    library = await import("pg-boss");
  } catch (error) {
    throw new StoreTrouble("unknown", "The library pg-boss is missing: npm install pg-boss", error);
  }
  const boss = new library.PgBoss({
    db: databaseOf(door),
    schema: bossSchema,
    supervise: isSupervised,
    schedule: false,
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 2,
    monitorVacuum: false,
    reindex: false,
  });
  // Each call rejects with what went wrong; this is for those that pg-boss makes by itself, which it makes again.
  boss.on("error", () => {});
  const queue = new BossJobQueue(boss, door);
  try {
    await queue.open();
  } catch (error) {
    await queue.close().catch(() => {});
    throw error;
  }
  return queue;
}

/** pg-boss says everything through the same door as the board. */
function databaseOf(door: ServerDoor) {
  return {
    async executeSql(text: string, values?: unknown[]) {
      const session = await door.session();
      let isBroken = false;
      try {
        return await executeIn(session, text, values);
      } catch (error) {
        isBroken = isAway(error);
        // A script that fails in its own transaction leaves it open.
        if (!isBroken) await session.script("ROLLBACK").catch(() => (isBroken = true));
        throw error;
      } finally {
        session.release(isBroken);
      }
    },
  };
}

async function executeIn(
  session: ServerSession,
  text: string,
  values: unknown[] | undefined,
  // biome-ignore lint/suspicious/noExplicitAny: pg-boss's own type of a row
): Promise<{ rows: any[] }> {
  // Several statements in one text have no values.
  if (values === undefined || values.length === 0) return { rows: [...(await session.everyRow(text))] };
  const { rows } = await session.query(text, values as SqlValue[]);
  return { rows: [...rows] };
}

class BossJobQueue implements JobQueue {
  readonly name: string;
  readonly #boss: PgBoss;
  readonly #door: ServerDoor;
  readonly #known = new Set<string>();

  constructor(boss: PgBoss, door: ServerDoor) {
    this.name = door.name;
    this.#boss = boss;
    this.#door = door;
  }

  async open(): Promise<void> {
    await this.#said(async () => {
      await this.#script(tables);
      await this.#boss.start();
      await this.#boss.createQueue(givenUp, { retryLimit: 1000 });
    });
  }

  async send(queue: string, jobs: readonly NewJob[]): Promise<void> {
    await this.#said(async () => {
      await this.#boss.createQueue(queue, {
        retryLimit: attemptsMost - 1,
        retryDelay: 0,
        heartbeatSeconds: silenceMs / 1000,
        expireInSeconds: 6 * 3600,
        retentionSeconds: 365 * 86_400,
        deadLetter: givenUp,
      });
      const wrapped = jobs.map(({ data, id }) => ({ id, data: { queue, id, data } satisfies Wrapped }));
      for (let at = 0; at < wrapped.length; at += 1000)
        await this.#boss.insert(queue, wrapped.slice(at, at + 1000));
    });
  }

  async take(queues: readonly string[]): Promise<TakenJob | null> {
    return await this.#said(async () => {
      await this.#noteGivenUp();
      for (const queue of queues) {
        if (!(await this.#isKnown(queue))) continue;
        const [job] = await this.#boss.fetch<Wrapped>(queue);
        if (job === undefined) continue;
        return { queue, id: job.id, data: job.data.data, attempt: job.retryCount + 1 };
      }
      return null;
    });
  }

  async #isKnown(queue: string): Promise<boolean> {
    if (this.#known.has(queue)) return true;
    if ((await this.#boss.getQueue(queue)) === null) return false;
    this.#known.add(queue);
    return true;
  }

  /** What pg-boss has given up lies in its queue of dead letters, until somebody has written it down. */
  async #noteGivenUp(): Promise<void> {
    for (;;) {
      const jobs = await this.#boss.fetch<Wrapped>(givenUp, { batchSize: 50 });
      if (jobs.length === 0) return;
      for (const { data } of jobs)
        await this.#rows(
          `INSERT INTO ${ours}.answers (queue, id, ended) VALUES ($1, $2, true)
           ON CONFLICT (queue, id) DO UPDATE SET ended = true`,
          data.queue,
          data.id,
        );
      await this.#boss.complete(
        givenUp,
        jobs.map(({ id }) => id),
      );
    }
  }

  async beat({ attempt, id, queue }: TakenJob): Promise<boolean> {
    return await this.#said(async () => {
      const answer = await this.#boss.touch(queue, { id, retryCount: attempt - 1 });
      return (answer as { affected?: number }).affected === 1;
    });
  }

  async finish({ id, queue }: TakenJob, answer: string): Promise<boolean> {
    return await this.#together(async (session) => {
      const { rows } = await session.query(
        `INSERT INTO ${ours}.answers (queue, id, answer, ended) VALUES ($1, $2, $3, true)
         ON CONFLICT (queue, id) DO UPDATE SET answer = excluded.answer, ended = true
         WHERE answers.answer IS NULL RETURNING id`,
        [queue, id, answer],
      );
      await this.#boss.complete(queue, id, null, { db: within(session), includeQueued: true });
      return rows.length === 1;
    });
  }

  async fail({ attempt, id, queue }: TakenJob, why: string): Promise<void> {
    await this.#together(async (session) => {
      await session.query(
        `INSERT INTO ${ours}.answers (queue, id, why, ended) VALUES ($1, $2, $3, false)
         ON CONFLICT (queue, id) DO UPDATE SET why = excluded.why`,
        [queue, id, why],
      );
      await this.#boss.fail(queue, { id, retryCount: attempt - 1 }, null, { db: within(session) });
    });
  }

  async ended(queue: string, ids: readonly string[]): Promise<readonly EndedJob[]> {
    const rows = await this.#said(() =>
      this.#rows(`SELECT id::text, answer, why FROM ${ours}.answers WHERE queue = $1 AND ended`, queue),
    );
    return inOrder(rows, ids);
  }

  async endedCount(queue: string): Promise<number> {
    const [row] = await this.#said(() =>
      this.#rows(`SELECT count(*)::int AS count FROM ${ours}.answers WHERE queue = $1 AND ended`, queue),
    );
    return Number(row.count);
  }

  async drop(queue: string): Promise<void> {
    await this.#said(async () => {
      if ((await this.#boss.getQueue(queue)) !== null) await this.#boss.deleteQueue(queue);
      this.#known.delete(queue);
      await this.#rows(`DELETE FROM ${ours}.answers WHERE queue = $1`, queue);
    });
  }

  async note(key: string, before: string | null, text: string | null): Promise<boolean> {
    const rows = await this.#said(() => {
      if (text === null)
        return this.#rows(
          `DELETE FROM ${ours}.notes WHERE key = $1 AND text IS NOT DISTINCT FROM $2 RETURNING key`,
          key,
          before,
        );
      if (before === null)
        return this.#rows(
          `INSERT INTO ${ours}.notes VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING key`,
          key,
          text,
        );
      return this.#rows(
        `UPDATE ${ours}.notes SET text = $3 WHERE key = $1 AND text = $2 RETURNING key`,
        key,
        before,
        text,
      );
    });
    return rows.length === 1 || (text === null && before === null);
  }

  async notes(prefix: string): Promise<readonly { readonly key: string; readonly text: string }[]> {
    const rows = await this.#said(() =>
      this.#rows(
        `SELECT key, text FROM ${ours}.notes WHERE starts_with(key, $1) ORDER BY key COLLATE "C"`,
        prefix,
      ),
    );
    return rows.map(({ key, text }) => ({ key: String(key), text: String(text) }));
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false }).catch(() => {});
    await this.#door.close();
  }

  async #script(sql: string): Promise<void> {
    const session = await this.#door.session();
    let isBroken = true;
    try {
      await session.script(sql);
      isBroken = false;
    } finally {
      session.release(isBroken);
    }
  }

  async #rows(sql: string, ...values: SqlValue[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const session = await this.#door.session();
    let isBroken = false;
    try {
      return (await session.query(sql, values)).rows;
    } catch (error) {
      isBroken = isAway(error);
      throw error;
    } finally {
      session.release(isBroken);
    }
  }

  /** All of it or nothing. */
  async #together<T>(act: (session: ServerSession) => Promise<T>): Promise<T> {
    return await this.#said(async () => {
      const session = await this.#door.session();
      let isBroken = true;
      try {
        await session.script("BEGIN");
        const answer = await act(session);
        await session.script("COMMIT");
        isBroken = false;
        return answer;
      } catch (error) {
        if (!isAway(error)) {
          await session.script("ROLLBACK");
          isBroken = false;
        }
        throw error;
      } finally {
        session.release(isBroken);
      }
    });
  }

  async #said<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw inOurWords(error, this.name, false, what);
    }
  }
}

const within = (session: ServerSession) => ({
  executeSql: (text: string, values?: unknown[]) => executeIn(session, text, values),
});
