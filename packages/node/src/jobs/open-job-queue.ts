// The queue that an address, a file with an address, or a SQLite file names.

import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { databaseUrl } from "../store/database-url.ts";
import { doorTo } from "../store/postgres-door.ts";
import { openBossQueue } from "./boss-job-queue.ts";
import type { JobQueue } from "./job-queue.ts";
import { openSqliteQueue } from "./sqlite-job-queue.ts";

const sqliteHead = "SQLite format 3\0";
const application = "drydock campaign";

export interface QueuePlace {
  /** An address, or a path. */
  readonly place: string;
  /** A SQLite file is made where there is none. */
  readonly canMake: boolean;
  /** Looks after jobs whose holder fell silent. */
  readonly isSupervised: boolean;
}

/**
 * `postgres://...`; or a file: a SQLite queue, or a text whose first line is such an address, so that a password stands on no
 * command line. RangeError: it is none of these, in words that never repeat what could be a password. StoreTrouble: it cannot be had.
 */
export async function openJobQueue({ canMake, isSupervised, place }: QueuePlace): Promise<JobQueue> {
  const address = isAddress(place) ? place : addressIn(place, canMake);
  if (address === null) return openSqliteQueue(place);
  return openBossQueue(await doorTo(databaseUrl(address.trim()), application), { isSupervised });
}

const isAddress = (place: string): boolean => /^postgres(?:ql)?:\/\//.test(place);

/** Null: it is a SQLite file, or will be. */
function addressIn(path: string, canMake: boolean): string | null {
  // It may hold a password: it is not repeated.
  if (/^\w+:\/\//.test(path))
    throw new RangeError("is an address, but none of postgres://user@host:5432/name");
  if (!existsSync(path)) {
    if (!canMake) throw new RangeError(`there is no queue ${path}; drydock campaign submit makes one`);
    return null;
  }
  const head = Buffer.alloc(sqliteHead.length);
  const file = openSync(path, "r");
  try {
    const got = readSync(file, head);
    if (got === 0 || head.toString("latin1") === sqliteHead) return null;
  } finally {
    closeSync(file);
  }
  const [line] = readFileSync(path, "utf8").split(/\r?\n/);
  if (!isAddress(line))
    throw new RangeError(
      `${path} is no queue: neither a SQLite file of Drydock's nor a text whose first line is postgres://user@host:5432/name`,
    );
  return line;
}
