// The board's store in a SQLite file: talks are held inside one call, so nothing ever comes between two statements.

import { openBoardDatabase } from "./board-database.ts";
import { SqlBoardStore } from "./sql-board-store.ts";
import type { SqlDatabase } from "./sql-talk.ts";
import type { SqliteConnection } from "./sqlite.ts";
import { sqliteFaults, sqliteIndex } from "./sqlite-index.ts";

export class SqliteBoardStore extends SqlBoardStore {
  readonly connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    super(databaseOf(connection));
    this.connection = connection;
  }

  /** Throws StoreTrouble: held, damaged, newer, not ours. */
  static open(path: string): SqliteBoardStore {
    return new SqliteBoardStore(openBoardDatabase(path));
  }
}

const databaseOf = (connection: SqliteConnection): SqlDatabase => ({
  index: sqliteIndex,
  rows: async (sql, ...values) => connection.all(sql, ...values),
  read: async (talk) => connection.hold(talk),
  write: async (talk) => connection.write(() => connection.hold(talk)),
  // One process a folder (folder-lock.ts).
  alone: (act) => act(),
  // Freed pages are zeros (sqlite.ts); the log of writes may hold them until it is folded in and cut.
  scrub: async () => {
    connection.pragma("wal_checkpoint(TRUNCATE)");
  },
  faults: async () => sqliteFaults(connection),
  close: async () => connection.close(),
});
