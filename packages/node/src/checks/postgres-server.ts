// A PostgreSQL server of Debian's for tests: own folder, free port, a password, gone with the test.

import { spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import pg from "pg";

const versions = "/usr/lib/postgresql";
const programs = existsSync(versions)
  ? readdirSync(versions)
      .map((version) => join(versions, version, "bin"))
      .find((folder) => existsSync(join(folder, "initdb")))
  : undefined;

/** False, or why a test that needs it is skipped. */
export const withoutPostgres: string | false =
  programs === undefined ? "PostgreSQL is missing: apt-get install postgresql" : false;

/** Stands in every address of a test: nothing that is printed may have it. */
export const testPassword = "sea-gull-17";

export interface PostgresServer {
  /** A new, empty database. */
  database(name: string): Promise<URL>;
  /** kill -9 of all its processes. */
  kill(): Promise<void>;
  /** On the same port and files. */
  start(): Promise<void>;
  end(): Promise<void>;
}

const startMs = 120_000;

/** `initdb` refuses root: as root, the server runs as Debian's user `postgres`. */
function owner(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const number = (flag: string) => Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: number("-u"), gid: number("-g") };
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
    probe.on("error", reject);
  });

export async function startPostgres(): Promise<PostgresServer> {
  if (programs === undefined) throw new Error(String(withoutPostgres));
  const folder = mkdtempSync(join(tmpdir(), "drydock-postgres-"));
  const data = join(folder, "data");
  const word = join(folder, "word");
  writeFileSync(word, `${testPassword}\n`);
  const as = owner();
  if (as !== null) for (const path of [folder, word]) chownSync(path, as.uid, as.gid);
  const options = { cwd: folder, ...(as ?? {}), env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" } };
  const made = spawnSync(
    join(programs, "initdb"),
    ["-D", data, "-U", "drydock", "-A", "scram-sha-256", "--pwfile", word, "-E", "UTF8", "--no-sync"],
    { ...options, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(made.stderr);
  const port = await freePort();
  const address = (name: string) => new URL(`postgres://drydock:${testPassword}@127.0.0.1:${port}/${name}`);
  let child: ReturnType<typeof spawn> | null = null;
  let ended: Promise<void> = Promise.resolve();
  const start = async () => {
    const server = spawn(
      join(programs, "postgres"),
      [
        "-D",
        data,
        "-p",
        String(port),
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "recovery_init_sync_method=syncfs",
      ],
      { ...options, stdio: "ignore" },
    );
    child = server;
    ended = new Promise((resolve) => server.once("exit", () => resolve()));
    // After a kill it first brings the whole file system to the disk, which other programs may keep busy.
    const patience = AbortSignal.timeout(startMs);
    while (!patience.aborted) {
      if (server.exitCode !== null) throw new Error(`PostgreSQL ended with ${server.exitCode}`);
      const client = new pg.Client({ connectionString: address("postgres").href });
      client.on("error", () => {});
      try {
        await client.connect();
        await client.end();
        return;
      } catch {
        await setTimeout(50);
      }
    }
    throw new Error(`PostgreSQL does not answer within ${startMs / 1000} s`);
  };
  const kill = async () => {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // Every backend leads a group of its own: all of them die at once, as by a power cut.
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ");
    child.kill("SIGKILL");
    for (const pid of children.map(Number).filter((number) => number > 0)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself meanwhile.
      }
    }
    await ended;
  };
  await start();
  return {
    async database(name) {
      const client = new pg.Client({ connectionString: address("postgres").href });
      await client.connect();
      await client.query(`CREATE DATABASE "${name}"`);
      await client.end();
      return address(name);
    },
    kill,
    start,
    async end() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
