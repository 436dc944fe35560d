// kill -9 of whole servers and of PostgreSQL: nothing acknowledged is lost, nothing happens twice.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startPostgres, withoutPostgres } from "@drydock/node/checks/postgres-server";
import { openPostgresBoard } from "@drydock/node/store/postgres-door";
import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";
import { databasePath, jobsAt } from "../src/server.ts";
import { type KillPlan, killServers } from "./kill-servers.ts";

/** 1,000 each: `npm run endurance -- board-kills-servers` and `-- board-kills-postgres`. */
const onSqlite = Number(process.env.DRYDOCK_BOARD_SERVER_KILLS ?? 4);
const onPostgres = Number(process.env.DRYDOCK_BOARD_POSTGRES_KILLS ?? 4);

/** A machine that others use too ends the kills then, and the report says how many there were. */
const minutes = Number(process.env.DRYDOCK_BOARD_KILL_MINUTES ?? 600);

async function killed(t: TestContext, where: string, plan: Omit<KillPlan, "onKill">): Promise<void> {
  const report = await killServers({
    ...plan,
    longestMs: minutes * 60_000,
    onKill: (kill) => {
      if (kill % 20 === 0) process.stderr.write(`${where}: ${kill} kills\n`);
    },
  });
  const { acts, cases, databaseKills, givenUp, sentAgain, serverKills, startedAgain } = report;
  t.diagnostic(
    `${where}: ${serverKills + databaseKills} kills: ${serverKills} of a server and ${databaseKills} of its database under ${acts} acknowledged acts over HTTP; ${sentAgain} times one was sent again with its key, ${startedAgain} times a server was begun while its database was dead, and again; ${cases} jobs of cases recorded, each side once${givenUp === 0 ? "" : `; ${givenUp} given up, whose servers were killed three times`}; files in ${tmpdir().startsWith("/dev/shm") ? "memory" : "a folder on disk"}`,
  );
}

test(`SQLite: ${onSqlite} kills of a board's server`, { timeout: 300_000 + onSqlite * 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-kill-"));
  try {
    await killed(t, "SQLite", {
      kills: onSqlite,
      seed: 11,
      homes: [folder],
      open: async () => SqliteBoardStore.open(databasePath(folder)),
      jobs: () => jobsAt(folder, undefined),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test(`PostgreSQL: ${onPostgres} kills of two servers of one board and of their database`, {
  timeout: 300_000 + onPostgres * 60_000,
  skip: withoutPostgres,
}, async (t) => {
  const server = await startPostgres();
  const folder = mkdtempSync(join(tmpdir(), "drydock-kill-"));
  try {
    const url = await server.database("kills");
    await killed(t, "PostgreSQL", {
      kills: onPostgres,
      seed: 10,
      homes: [join(folder, "one"), join(folder, "two")],
      database: { url, kill: server.kill, start: server.start },
      open: () => openPostgresBoard(url),
      jobs: () => jobsAt("", url),
    });
  } finally {
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
});
