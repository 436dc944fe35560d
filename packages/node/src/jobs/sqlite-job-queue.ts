// Jobs in a SQLite file: for the processes and threads of one machine.

import { StoreTrouble } from "@drydock/board/refusal";
import { SqliteConnection } from "../store/sqlite.ts";
import {
  attemptsMost,
  type EndedJob,
  inOrder,
  type JobQueue,
  type NewJob,
  silenceMs,
  type TakenJob,
} from "./job-queue.ts";

/** "DDJQ": what `file` and PRAGMA application_id show. */
const applicationId = 0x44444a51;
const schemaVersion = 1;

const schema = `
CREATE TABLE jobs (
  place INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  id TEXT NOT NULL,
  data TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waits' CHECK (state IN ('waits', 'taken', 'answered', 'given up')),
  attempt INTEGER NOT NULL DEFAULT 0,
  silent_at INTEGER NOT NULL DEFAULT 0,
  answer TEXT,
  why TEXT NOT NULL DEFAULT '',
  UNIQUE (queue, id)
) STRICT;
CREATE INDEX jobs_by_state ON jobs (queue, state, place);
CREATE TABLE notes (key TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${schemaVersion};
`;

export interface SqliteQueueOptions {
  /** Milliseconds; only how far two answers lie apart matters. */
  readonly now?: () => number;
  /** It need not outlive this machine: nothing waits for the disk. */
  readonly isTemporary?: boolean;
}

/** Makes the file where there is none. Throws StoreTrouble: no queue of ours, a newer one, a file that cannot be had. */
export function openSqliteQueue(path: string, options: SqliteQueueOptions = {}): JobQueue {
  const { isTemporary = false, now = Date.now } = options;
  const connection = new SqliteConnection(path, {
    what: {
      what: "The queue",
      repair: "Nothing that others sent is lost elsewhere: make a new queue and submit again.",
    },
  });
  try {
    if (isTemporary) connection.exec("PRAGMA synchronous = OFF");
    takeUp(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
  return new SqliteJobQueue(connection, now);
}

function takeUp(connection: SqliteConnection): void {
  const { path } = connection;
  connection.write(() => {
    const tables = connection.get("SELECT count(*) AS count FROM sqlite_schema")?.count;
    if (tables === 0) connection.exec(schema);
    else if (connection.pragma("application_id") !== applicationId)
      throw new StoreTrouble(
        "damaged",
        `${path} is a database, but no queue of Drydock's. It was not touched.`,
      );
    else if (Number(connection.pragma("user_version")) > schemaVersion)
      throw new StoreTrouble(
        "newer_schema",
        `The queue ${path} was made by a newer Drydock (schema ${connection.pragma("user_version")}; this one knows ${schemaVersion}).`,
      );
  });
}

class SqliteJobQueue implements JobQueue {
  readonly name: string;
  readonly #db: SqliteConnection;
  readonly #now: () => number;

  constructor(db: SqliteConnection, now: () => number) {
    this.name = db.path;
    this.#db = db;
    this.#now = now;
  }

  async send(queue: string, jobs: readonly NewJob[]): Promise<void> {
    this.#db.write(() => {
      for (const { data, id } of jobs)
        this.#db.run(
          "INSERT INTO jobs (queue, id, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          queue,
          id,
          JSON.stringify(data),
        );
    });
  }

  async take(queues: readonly string[]): Promise<TakenJob | null> {
    const now = this.#now();
    return this.#db.write(() => {
      for (const queue of queues) {
        this.#letGo(queue, now);
        const row = this.#db.get(
          "SELECT place, id, data, attempt FROM jobs WHERE queue = ? AND state = 'waits' ORDER BY place LIMIT 1",
          queue,
        );
        if (row === undefined) continue;
        const attempt = Number(row.attempt) + 1;
        this.#db.run(
          "UPDATE jobs SET state = 'taken', attempt = ?, silent_at = ? WHERE place = ?",
          attempt,
          now + silenceMs,
          Number(row.place),
        );
        return { queue, id: String(row.id), data: JSON.parse(String(row.data)) as unknown, attempt };
      }
      return null;
    });
  }

  /** Jobs whose holder fell silent wait again, or are given up. */
  #letGo(queue: string, now: number): void {
    this.#db.run(
      `UPDATE jobs SET state = CASE WHEN attempt >= ${attemptsMost} THEN 'given up' ELSE 'waits' END
       WHERE queue = ? AND state = 'taken' AND silent_at <= ?`,
      queue,
      now,
    );
  }

  async beat({ attempt, id, queue }: TakenJob): Promise<boolean> {
    const { changes } = this.#db.run(
      "UPDATE jobs SET silent_at = ? WHERE queue = ? AND id = ? AND state = 'taken' AND attempt = ?",
      this.#now() + silenceMs,
      queue,
      id,
      attempt,
    );
    return changes === 1;
  }

  async finish({ id, queue }: TakenJob, answer: string): Promise<boolean> {
    const { changes } = this.#db.run(
      "UPDATE jobs SET state = 'answered', answer = ? WHERE queue = ? AND id = ? AND answer IS NULL",
      answer,
      queue,
      id,
    );
    return changes === 1;
  }

  async fail({ attempt, id, queue }: TakenJob, why: string): Promise<void> {
    this.#db.run(
      `UPDATE jobs SET why = ?, state = CASE WHEN attempt >= ${attemptsMost} THEN 'given up' ELSE 'waits' END
       WHERE queue = ? AND id = ? AND state = 'taken' AND attempt = ?`,
      why,
      queue,
      id,
      attempt,
    );
  }

  async ended(queue: string, ids: readonly string[]): Promise<readonly EndedJob[]> {
    const rows = this.#db.all(
      "SELECT id, answer, why FROM jobs WHERE queue = ? AND state IN ('answered', 'given up')",
      queue,
    );
    return inOrder(rows, ids);
  }

  async endedCount(queue: string): Promise<number> {
    const row = this.#db.get(
      "SELECT count(*) AS count FROM jobs WHERE queue = ? AND state IN ('answered', 'given up')",
      queue,
    );
    return Number(row?.count);
  }

  async drop(queue: string): Promise<void> {
    this.#db.run("DELETE FROM jobs WHERE queue = ?", queue);
  }

  async note(key: string, before: string | null, text: string | null): Promise<boolean> {
    return this.#db.write(() => {
      const known = this.#db.get("SELECT text FROM notes WHERE key = ?", key)?.text ?? null;
      if (known !== before) return false;
      if (text === null) this.#db.run("DELETE FROM notes WHERE key = ?", key);
      else
        this.#db.run(
          "INSERT INTO notes VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text",
          key,
          text,
        );
      return true;
    });
  }

  async notes(prefix: string): Promise<readonly { readonly key: string; readonly text: string }[]> {
    return this.#db
      .all("SELECT key, text FROM notes WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key", prefix)
      .map(({ key, text }) => ({ key: String(key), text: String(text) }));
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}
