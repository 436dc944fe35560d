// One process a folder: a lock that ends with its holder, and what the holder says of itself.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Holder {
  readonly pid: number;
  /** What to open; empty until the holder listens. */
  readonly url: string;
}

/** Somebody else holds the folder. */
export class FolderHeld extends Error {
  readonly holder: Holder | null;

  constructor(folder: string, holder: Holder | null) {
    super(
      holder === null
        ? `another Drydock uses ${folder}`
        : `another Drydock uses ${folder}: process ${holder.pid}${holder.url === "" ? "" : `, at ${holder.url}`}`,
    );
    this.name = "FolderHeld";
    this.holder = holder;
  }
}

export class FolderLock {
  readonly #db: DatabaseSync;
  readonly #file: string;

  private constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
  }

  /** The system takes the lock back when the process ends, however it ends: SQLite's file lock. Throws FolderHeld. */
  static take(folder: string, name: string): FolderLock {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, `${name}.json`);
    const db = new DatabaseSync(join(folder, `${name}.lock`), { timeout: 0 });
    try {
      db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    } catch {
      db.close();
      throw new FolderHeld(folder, holderOf(file));
    }
    const lock = new FolderLock(db, file);
    lock.tell("");
    return lock;
  }

  /** What a second start is told. */
  tell(url: string): void {
    writeFileSync(this.#file, `${JSON.stringify({ pid: process.pid, url } satisfies Holder)}\n`);
  }

  release(): void {
    rmSync(this.#file, { force: true });
    this.#db.close();
  }
}

/** Null when it says nothing that can be understood. */
export function holderOf(file: string): Holder | null {
  try {
    const { pid, url } = JSON.parse(readFileSync(file, "utf8")) as Partial<Holder>;
    return typeof pid === "number" && typeof url === "string" ? { pid, url } : null;
  } catch {
    return null;
  }
}
