// Campaigns on PostgreSQL: the contract, a worker killed, the server away and back, one report.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CampaignReport } from "@drydock/core/trials/campaign-book";
import {
  type PostgresServer,
  startPostgres,
  testPassword,
  withoutPostgres,
} from "@drydock/node/checks/postgres-server";
import { openBossQueue } from "@drydock/node/jobs/boss-job-queue";
import { jobQueueChecks } from "@drydock/node/jobs/job-queue-checks";
import { openJobQueue } from "@drydock/node/jobs/open-job-queue";
import { doorTo } from "@drydock/node/store/postgres-door";

const skip = withoutPostgres;
const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
let server: PostgresServer;
let folder = "";
before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), "drydock-campaign-test-"));
  server = await startPostgres();
});
const workers = new Set<ChildProcess>();
after(async () => {
  for (const worker of workers) worker.kill("SIGKILL");
  if (skip !== false) return;
  await server.end();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly said: string;
}

const told: string[] = [];
function drydock(queue: string, ...words: string[]): Answer {
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, "campaign", ...words], {
    encoding: "utf8",
    env: { ...process.env, DRYDOCK_QUEUE: queue },
    timeout: 240_000,
  });
  told.push(stdout, stderr);
  return { code: status, out: stdout, said: stderr };
}

/** A worker of one process; what it says is kept. */
function work(queue: string): { readonly child: ChildProcess; said(): string } {
  let said = "";
  const child = spawn(process.execPath, [main, "campaign", "work", "--workers", "1", "--until-done"], {
    env: { ...process.env, DRYDOCK_QUEUE: queue },
    stdio: ["ignore", "ignore", "pipe"],
  });
  workers.add(child);
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    told.push(text);
  });
  return { child, said: () => said };
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (isSo()) return;
    await setTimeout(100);
  }
  throw new Error(`never: ${what}`);
}

test("the whole contract of the queue over a socket, by pg-boss", { skip }, async (context) => {
  const url = await server.database("contract");
  const doors = [await doorTo(url), await doorTo(url), await doorTo(url)];
  const queue = await openBossQueue(doors[0]);
  const other = await openBossQueue(doors[1], { isSupervised: false });
  const session = await doors[2].session();
  for (const check of jobQueueChecks)
    await context.test(check.name, async () => {
      for (const name of ["a", "b"]) await queue.drop(name);
      for (const { key, text } of await queue.notes("")) await queue.note(key, text, null);
      await check.run({
        queue,
        other,
        fallSilent: async () => {
          await session.script("UPDATE drydock_boss.job SET heartbeat_on = heartbeat_on - interval '1 hour'");
        },
      });
    });
  session.release(false);
  await doors[2].close();
  await other.close();
  await queue.close();
});

test("two workers, one killed by -9 in the middle, the server away and back: the report of one core, byte for byte", {
  skip,
  timeout: 480_000,
}, async () => {
  const what = ["raid", "--pairs", "40"];
  const alone = drydock("", "run", ...what, "--workers", "1");
  assert.equal(alone.code, 0, alone.said);
  // The address stands in a file, so that no list of processes shows its password.
  const place = join(folder, "queue.txt");
  writeFileSync(place, `${(await server.database("campaigns")).href}\n`);
  const { code, out, said } = drydock(place, "submit", ...what);
  assert.equal(code, 0, said);
  const id = out.trim();
  const status = (): { ended: number; phase: string } =>
    JSON.parse(drydock(place, "status", id, "--json").out).campaigns[0];
  assert.deepEqual([status().phase, status().ended], ["singles", 0]);
  const [one, other] = [work(place), work(place)];
  await until("the first parts", () => status().ended >= 2);
  one.child.kill("SIGKILL");
  await server.kill();
  await until("the other waits", () => other.said().includes("Waiting for it."));
  await server.start();
  await ended(other.child);
  assert.match(other.said(), /the queue is back/);
  assert.equal(other.child.exitCode, 0, other.said());
  const html = join(folder, "report.html");
  const report = drydock(place, "report", id, "--html", html);
  assert.deepEqual([report.code, report.out], [0, alone.out]);
  assert.match(readFileSync(html, "utf8"), /<title>Drydock campaign: raid, seed 1: every contract was kept</);
  assert.equal(drydock(place, "report", id, "--drop").code, 0);
  assert.equal(drydock(place, "report", id).code, 2);
  assert.ok(
    told.every((text) => !text.includes(testPassword)),
    "the password was printed",
  );
});

test("a rig file: who has another one leaves it to others; a part that ends its process is given up and named", {
  skip,
  timeout: 240_000,
}, async () => {
  const place = join(folder, "own.queue");
  const rig = fileURLToPath(new URL("../deadly.rig.ts", import.meta.url));
  const { out } = drydock(place, "submit", rig, "--pairs", "0", "--most", "20");
  const id = out.trim();
  const without = drydock(place, "work", "--workers", "1", "--until-done");
  assert.equal(without.code, 0, without.said);
  assert.match(without.said, new RegExp(`left to others: ${id}, of deadly: made of other files`));
  const having = drydock(place, "work", "--workers", "1", "--until-done", "--rig", rig);
  assert.equal(having.code, 0, having.said);
  assert.match(having.said, /deadly, singles, attempt 3: the process ended by exit 7/);
  const report = drydock(place, "report", id, "--json");
  assert.equal(report.code, 1, report.said);
  const { lost } = JSON.parse(report.out) as CampaignReport;
  assert.deepEqual(lost, [{ runs: "singles 1 to 20", why: "the process ended by exit 7" }]);
  const alone = drydock("", "run", rig, "--pairs", "0", "--most", "20", "--json");
  assert.deepEqual([alone.code, alone.out], [1, report.out]);
});

test("no queue, a queue that is away, one that is none: each is said, with what to do, and no password", {
  skip,
}, async () => {
  const none = drydock("", "status");
  assert.equal(none.code, 2);
  assert.match(none.said, /needs a queue: --queue FILE, or DRYDOCK_QUEUE/);
  const away = drydock(`postgres://me:${testPassword}@127.0.0.1:1/queue`, "status");
  assert.match(away.said, /The queue postgres:\/\/me@127\.0\.0\.1:1\/queue does not answer \(ECONNREFUSED\)/);
  const wrong = drydock(`mysql://me:${testPassword}@127.0.0.1/queue`, "status");
  assert.equal(wrong.code, 2);
  assert.match(wrong.said, /DRYDOCK_QUEUE: is an address, but none of postgres/);
  await assert.rejects(
    openJobQueue({ place: "postgres://", canMake: false, isSupervised: false }),
    RangeError,
  );
  assert.ok(!`${away.said}${wrong.said}`.includes(testPassword), "the password was printed");
});

const withoutYaml =
  spawnSync("python3", ["-c", "import yaml"]).status === 0
    ? false
    : "PyYAML is missing: apt-get install python3-yaml";

test("the compose file and the Kubernetes job are YAML, and their workers' lines are lines of ours", {
  skip: withoutYaml,
}, () => {
  const read = (name: string) => {
    const path = fileURLToPath(new URL(`../../../../examples/scale/${name}`, import.meta.url));
    const code = "import json,sys,yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    const { status, stderr, stdout } = spawnSync("python3", ["-c", code, path], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  const compose = read("compose.yaml");
  const job = read("job.yaml");
  assert.deepEqual(Object.keys(compose.services), ["queue", "worker"]);
  assert.deepEqual([job.apiVersion, job.kind], ["batch/v1", "Job"]);
  const { spec } = job.spec.template;
  assert.equal(spec.restartPolicy, "Never");
  const help = drydock("", "work", "--help").out;
  const lines: string[][] = [compose.services.worker.command, spec.containers[0].command];
  for (const words of lines) {
    assert.deepEqual(words.slice(0, 4), ["npx", "drydock", "campaign", "work"]);
    for (const word of words.filter((each) => each.startsWith("--"))) assert.ok(help.includes(word), word);
  }
});
