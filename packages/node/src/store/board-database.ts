// Opens a board's database file: makes it, takes an older one up after a backup, refuses a newer or a foreign one.

import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { StoreTrouble } from "@drydock/board/refusal";
import { boardSchemaSteps, boardSchemaVersion } from "./board-schema.ts";
import { SqliteConnection } from "./sqlite.ts";

/** "DRDY": tells our files from other people's SQLite databases. */
const applicationId = 0x44524459;
/** Files up to this size are checked whole when opened; larger ones when something looks wrong. */
const checkedBytes = 64 * 1024 * 1024;

/** `:memory:` gives one that is gone when closed. `schemaVersion`: stop there (tests of old versions). */
export function openBoardDatabase(path: string, schemaVersion = boardSchemaVersion): SqliteConnection {
  const isFile = path !== ":memory:";
  if (isFile) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const size = isFile && existsSync(path) ? statSync(path).size : 0;
  const connection = new SqliteConnection(path);
  try {
    const version = size === 0 ? 0 : recognised(connection);
    if (size > 0 && size <= checkedBytes) mustBeSound(connection);
    if (version > boardSchemaVersion)
      throw new StoreTrouble(
        "newer_schema",
        `The board's database ${path} has schema version ${version}; this Drydock knows versions up to ${boardSchemaVersion}. Use the newer Drydock that wrote it, or another DRYDOCK_HOME.`,
      );
    if (version > 0 && version < schemaVersion) copyDatabase(connection, `${path}.v${version}`);
    if (version < schemaVersion)
      connection.write(() => {
        for (const step of boardSchemaSteps.slice(version, schemaVersion)) connection.exec(step);
        connection.exec(`PRAGMA user_version = ${schemaVersion}`);
        connection.exec(`PRAGMA application_id = ${applicationId}`);
      });
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The file's schema version; 0 when nothing is in it yet. */
function recognised(connection: SqliteConnection): number {
  const version = Number(connection.pragma("user_version"));
  if (Number(connection.pragma("application_id")) === applicationId) return version;
  const tables = connection.get("SELECT count(*) AS n FROM sqlite_schema");
  if (Number(tables?.n) === 0) return 0;
  throw new StoreTrouble(
    "damaged",
    `${connection.path} is a database, but not a board of Drydock's. It was not touched.`,
  );
}

function mustBeSound(connection: SqliteConnection): void {
  const verdict = String(connection.pragma("quick_check(1)"));
  if (verdict !== "ok")
    throw new StoreTrouble(
      "damaged",
      `The board's database ${connection.path} is damaged (${verdict.slice(0, 200)}). Nothing was written to it. Restore a backup with: drydock board restore FILE`,
    );
}

/** A whole and consistent copy, also while others write. An existing `to` is replaced only when the copy is complete. */
export function copyDatabase(connection: SqliteConnection, to: string): void {
  const part = `${to}.part`;
  rmSync(part, { force: true });
  connection.exec(`VACUUM INTO '${part.replaceAll("'", "''")}'`);
  renameSync(part, to);
}

/** Copies the running or resting board at `path` to `to`. */
export function backupBoard(path: string, to: string): void {
  if (!existsSync(path)) throw new StoreTrouble("unknown", `There is no board at ${path} yet.`);
  const connection = new SqliteConnection(path, { readOnly: true });
  try {
    recognised(connection);
    mkdirSync(dirname(to), { recursive: true });
    copyDatabase(connection, to);
  } finally {
    connection.close();
  }
}

/** Puts the backup `from` in the place of `path`; what was there stays beside it. Answers where; null when nothing was. */
export function restoreBoard(path: string, from: string): string | null {
  if (!existsSync(from)) throw new StoreTrouble("unknown", `There is no ${from}.`);
  const backup = new SqliteConnection(from, { readOnly: true });
  try {
    const version = recognised(backup);
    if (version === 0) throw new StoreTrouble("damaged", `${from} is not a board of Drydock's.`);
    if (version > boardSchemaVersion)
      throw new StoreTrouble(
        "newer_schema",
        `${from} has schema version ${version}; this Drydock knows versions up to ${boardSchemaVersion}.`,
      );
    mustBeSound(backup);
  } finally {
    backup.close();
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.part`;
  copyFileSync(from, part);
  let aside: string | null = null;
  if (existsSync(path)) {
    // A rest of the old log must not meet the new file: fold it in before the old one moves.
    try {
      const old = new SqliteConnection(path);
      old.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      old.close();
    } catch {
      // A damaged board is moved aside as it is: that is what a restore is for.
    }
    aside = freeName(`${path}.before-restore`);
    renameSync(path, aside);
  }
  for (const rest of [`${path}-wal`, `${path}-shm`]) rmSync(rest, { force: true });
  renameSync(part, path);
  return aside;
}

function freeName(wanted: string): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!existsSync(name)) return name;
  }
}
