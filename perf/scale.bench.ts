// Campaigns over a queue: what two workers are worth, how many jobs a second PostgreSQL hands out.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { startPostgres } from "@drydock/node/checks/postgres-server";
import { openBossQueue } from "@drydock/node/jobs/boss-job-queue";
import type { JobQueue } from "@drydock/node/jobs/job-queue";
import { jobIdOf } from "@drydock/node/jobs/job-queue";
import { openSqliteQueue } from "@drydock/node/jobs/sqlite-job-queue";
import { doorTo } from "@drydock/node/store/postgres-door";
import type { BenchTable } from "./run.ts";

const rounds = 3;
const seeds = 48_000;
const jobs = 500;
const crowds = [1, 10, 100, 1000];
/** Connections' owners: each queue has up to eight connections. */
const queuesMost = 6;

const program = join(import.meta.dirname, "../apps/cli/src/main.ts");

function drydock(...words: string[]): string {
  const { status, stderr, stdout } = spawnSync(process.execPath, [program, "campaign", ...words], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** Runs a second: a campaign by so many processes under one, their start included. */
function runsBy(workers: number, folder: string): number {
  const place = join(folder, `${Math.random()}.queue`);
  drydock("submit", "serial", "--seeds", String(seeds), "--queue", place);
  const begun = performance.now();
  drydock("work", "--until-done", "--workers", String(workers), "--queue", place);
  return (seeds * 1000) / (performance.now() - begun);
}

let made = 0;
/** Jobs a second that so many workers take and answer, with nothing to do for each. */
async function jobsBy(queues: readonly JobQueue[], crowd: number): Promise<number> {
  const name = `bench.${++made}`;
  const ids = Array.from({ length: jobs }, (_, at) => jobIdOf(`${name} singles ${at}`));
  await queues[0].send(
    name,
    ids.map((id, at) => ({ id, data: { phase: "singles", from: at * 40, to: at * 40 + 40 } })),
  );
  const answer = JSON.stringify({ page: { faults: {}, outcomes: {}, found: [] }, firsts: [] });
  const begun = performance.now();
  let left = jobs;
  await Promise.all(
    Array.from({ length: crowd }, async (_, at) => {
      const queue = queues[at % queues.length];
      while (left > 0) {
        const job = await queue.take([name]);
        if (job === null) await setTimeout(200);
        else if (await queue.finish(job, answer)) left--;
      }
    }),
  );
  const perSecond = (jobs * 1000) / (performance.now() - begun);
  await queues[0].drop(name);
  return perSecond;
}

export async function bench(): Promise<BenchTable[]> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-scale-"));
  const server = await startPostgres();
  const queues: JobQueue[] = [];
  const rows = new Map<string, number[]>();
  const add = (name: string, value: number) => rows.set(name, [...(rows.get(name) ?? []), value]);
  try {
    const url = await server.database("scale");
    for (let count = 0; count < queuesMost; count++)
      queues.push(await openBossQueue(await doorTo(url), { isSupervised: count === 0 }));
    const file = openSqliteQueue(join(folder, "bench.queue"));
    for (let round = 0; round < rounds; round++) {
      const one = runsBy(1, folder);
      const two = runsBy(2, folder);
      add("runs, one worker", one);
      add("runs, two workers", two);
      add("two workers over twice one", two / (2 * one));
      for (const crowd of crowds) add(`jobs, ${crowd} workers, PostgreSQL`, await jobsBy(queues, crowd));
      add("jobs, 1 worker, SQLite", await jobsBy([file], 1));
    }
    await file.close();
  } finally {
    for (const queue of queues) await queue.close();
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
  return [
    {
      title: "Campaigns over a queue",
      unit: "per second",
      rows: [...rows].map(([name, figures]) => ({ name, rounds: figures })),
      note: `Runs: the rig serial over ${seeds} seeds with a drawn fault in each, from the start of the command to its end. Jobs: taken and answered with nothing to do, ${jobs} of them, by workers that share ${queuesMost} queues of eight connections in one process; server and workers share this machine. The peer of two workers is one.`,
    },
  ];
}
