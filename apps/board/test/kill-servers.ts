// Servers of one board and their database killed at random moments, under writes and their own jobs.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { Random } from "@drydock/core/base/random";
import { type JobQueue, jobIdOf } from "@drydock/node/jobs/job-queue";
import type { SqlBoardStore } from "@drydock/node/store/sql-board-store";
import { repositoryRoot } from "../src/server.ts";
import { caseIdsIn } from "../src/still-true-runs.ts";
import { bundled } from "./bundled.ts";
import { killActs, ToldActs } from "./kill-acts.ts";

/** The cases are run again so many kills later. */
const killsOfVersion = 10;

export interface KillPlan {
  /** So many, or as many as there is time for. */
  readonly kills: number;
  readonly longestMs?: number;
  readonly seed: number;
  /** A server's own folder, each. */
  readonly homes: readonly string[];
  /** Left out: one server, on a file in its folder. */
  readonly database?: { readonly url: URL; kill(): Promise<void>; start(): Promise<void> };
  /** What is kept, and their jobs, read past the servers. */
  open(): Promise<SqlBoardStore>;
  jobs(): Promise<JobQueue>;
  readonly onKill?: (kill: number) => void;
}

export interface KillReport {
  readonly acts: number;
  /** Acts that were sent again with their key, since nobody had answered. */
  readonly sentAgain: number;
  readonly serverKills: number;
  readonly databaseKills: number;
  /** Servers that were begun while their database was dead, said so and ended. */
  readonly startedAgain: number;
  /** Jobs of cases, a case and version: each side recorded once, though one that held it was killed. */
  readonly cases: number;
  /** Of the last version: cases that three servers did not survive, and that nobody tries again. */
  readonly givenUp: number;
}

/** What a server says that began while its database was being killed, and ended by that. */
const databaseAway = /PostgreSQL|database/i;

class Server {
  readonly #words: readonly string[];
  #child: ChildProcess | null = null;
  #said = "";
  /** Where it is; a promise while it starts. */
  url: Promise<string> = Promise.reject(new Error("not started"));

  /** The program, its folder, its database or nothing. */
  constructor(words: readonly string[]) {
    this.#words = words;
    this.url.catch(() => {});
  }

  start(version: string, begun: number): void {
    const [program, home, ...database] = this.#words;
    const child = spawn(process.execPath, [program, home, version, String(begun), ...database], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#said = "";
    child.stderr.setEncoding("utf8").on("data", (piece: string) => {
      if (this.#child === child) this.#said += piece;
    });
    this.#child = child;
    this.url = new Promise((resolve, reject) => {
      createInterface(child.stdout).once("line", resolve);
      child.once("exit", () => reject(new Error("the server has ended")));
    });
    this.url.catch(() => {});
  }

  /** It ended, and nobody had killed it: true where its database was away, and it may be started again. */
  endedByItself(): boolean {
    if (this.#child === null || this.#child.exitCode === null) return false;
    if (databaseAway.test(this.#said)) return true;
    throw new Error(`a server ended by itself: ${this.#said}`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

/** Everything that must hold holds, or it throws. */
export async function killServers(plan: KillPlan): Promise<KillReport> {
  const { database, homes } = plan;
  const begun = Date.now();
  const random = new Random(plan.seed);
  const folder = mkdtempSync(join(tmpdir(), "drydock-kill-program-"));
  const program = await bundled(join(import.meta.dirname, "kill-server.ts"), folder);
  const servers = homes.map(
    (home) => new Server([program, home, ...(database === undefined ? [] : [database.url.href])]),
  );
  const versionAt = (kill: number) => `0.1.${Math.floor(kill / killsOfVersion)}`;
  let [sentAgain, told, serverKills, databaseKills, startedAgain] = [0, 0, 0, 0, 0];
  let isOver = false;
  /** A promise was broken: nobody takes what is sent, and nobody waits for it. */
  let isBroken = false;
  for (const server of servers) server.start(versionAt(0), begun);
  /** Each act is sent until somebody has acknowledged it: to this server, or to another one of the same board. */
  const writers = servers.map((_, at) => {
    const acts = new ToldActs();
    let server = at;
    const send = async (path: string, init: RequestInit): Promise<Response> => {
      for (;;) {
        try {
          const url = await servers[server].url;
          const answer = await fetch(url + path, { ...init, signal: AbortSignal.timeout(20_000) });
          if (answer.status < 500) return answer;
        } catch {
          // Killed before it answered.
        }
        if (isBroken) throw new Error("there is no server any more");
        sentAgain++;
        server = (server + 1) % servers.length;
        await setTimeout(50);
      }
    };
    const written = (async () => {
      for await (const line of killActs(send, `w${at}`, new Random(plan.seed * 10 + at), () => isOver)) {
        acts.add(line);
        told++;
      }
    })();
    return { acts, written };
  });
  const failed = Promise.race(writers.map(({ written }) => written)).then(() => {
    if (!isOver) throw new Error("a writer ended");
  });
  failed.catch(() => {});

  let store = database === undefined ? null : await plan.open();
  const check = async (isWhole: boolean) => {
    // A file is one server's: it is looked at while that one is dead.
    const looked = store ?? (await plan.open());
    for (const { acts } of writers) await acts.mustBeThere(looked);
    if (isWhole) {
      assert.deepEqual((await looked.check()).faults, []);
      assert.deepEqual(await caseRunsTwice(looked), []);
    }
    if (store === null) await looked.close();
  };

  try {
    const end = performance.now() + (plan.longestMs ?? Number.POSITIVE_INFINITY);
    for (let kill = 1; kill <= plan.kills && performance.now() < end; kill++) {
      const until = told + 1 + (random.next32() % 9);
      while (told < until) {
        await Promise.race([setTimeout(5), failed]);
        // As whoever runs a service has it: one that could not begin is begun again.
        for (const server of servers)
          if (server.endedByItself()) {
            startedAgain++;
            server.start(versionAt(kill - 1), begun);
          }
      }
      await setTimeout(random.next32() % 8);
      plan.onKill?.(kill);
      const isWhole = kill % 25 === 0 || kill <= 3 || kill === plan.kills;
      const which = random.next32() % (3 * servers.length);
      if (database !== undefined && which >= servers.length) {
        databaseKills++;
        await database.kill();
        await database.start();
        await check(isWhole);
      } else {
        serverKills++;
        const server = servers[which % servers.length];
        await server.kill();
        if (store === null) await check(isWhole);
        server.start(versionAt(kill), begun);
        if (store !== null) await check(isWhole);
      }
    }
    isOver = true;
    await Promise.all(writers.map(({ written }) => written));
    const lastVersion = versionAt(serverKills + databaseKills);
    for (const server of servers) {
      await server.kill();
      server.start(lastVersion, begun);
    }
    store ??= await plan.open();
    for (const { acts } of writers) {
      await acts.mustBeThere(store);
      await acts.mustBeOnce(store);
    }
    const givenUp = await lastCases(plan, store, lastVersion);
    await check(true);
    const [{ cases }] = await store.database.rows(
      "SELECT count(*) AS cases FROM (SELECT DISTINCT build, case_id FROM case_run) AS each",
    );
    return { acts: told, sentAgain, serverKills, databaseKills, startedAgain, cases: Number(cases), givenUp };
  } catch (error) {
    isBroken = true;
    throw error;
  } finally {
    isOver = true;
    await Promise.all(servers.map((server) => server.kill()));
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until all cases have been run on this version, or given up. Answers how many were given up. */
async function lastCases(plan: KillPlan, store: SqlBoardStore, version: string): Promise<number> {
  const ids = caseIdsIn(repositoryRoot);
  const build = `build-${version}`;
  const jobs = await plan.jobs();
  try {
    for (let waited = 0; waited < 120; waited++) {
      await setTimeout(500);
      const ended = await jobs.ended(
        `board.cases.${build}`,
        ids.map((id) => jobIdOf(`board case ${build} ${id}`)),
      );
      if (ended.length < ids.length) continue;
      const answered = ended.filter(({ answer }) => answer !== null).length;
      const [{ sides }] = await store.database.rows(
        "SELECT count(*) AS sides FROM case_run WHERE build = ?",
        build,
      );
      assert.ok(
        Number(sides) >= 2 * answered && Number(sides) <= 2 * ids.length,
        `${sides} sides of ${answered} cases`,
      );
      return ids.length - answered;
    }
    throw new Error("cases were not run");
  } finally {
    await jobs.close();
  }
}

/** A side of a case that was recorded more than once on one build. */
async function caseRunsTwice(store: SqlBoardStore): Promise<string[]> {
  const rows = await store.database.rows(
    "SELECT build, case_id, side, count(*) AS n FROM case_run GROUP BY build, case_id, side HAVING count(*) > 1",
  );
  return rows.map((row) => JSON.stringify(row));
}
