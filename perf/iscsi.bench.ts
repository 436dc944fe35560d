// A disk over iSCSI beside tgt's, under the same clients: libiscsi's iscsi-perf and QEMU's qemu-img bench.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  addFigure,
  cpuSeconds,
  keepAwake,
  must,
  pinned,
  residentMegabytes,
  tableOf,
  verifyDisk,
} from "./foreign-servers.ts";
import type { BenchTable } from "./run.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const rounds = 5;
const sizeBytes = 256 << 20;
const targetName = "iqn.2026-01.org.example:bench";

interface Running {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
}

interface Work {
  readonly name: string;
  readonly bytes: number;
  readonly depth: number;
  readonly isWrite: boolean;
  /** Requests of a run: about half a second. */
  readonly count: number;
}

const works: readonly Work[] = [4096, 1 << 20].flatMap((bytes) =>
  [1, 32].flatMap((depth) =>
    [false, true].map((isWrite) => ({
      name: `${bytes === 4096 ? "4 KiB" : "1 MiB"} ${isWrite ? "write" : "read"}, depth ${depth}`,
      bytes,
      depth,
      isWrite,
      count: bytes === 4096 ? (depth === 1 ? 5_000 : 15_000) : 400,
    })),
  ),
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function startTgt(folder: string, children: ChildProcess[]): Promise<Running> {
  const image = join(folder, "image");
  writeFileSync(image, "");
  truncateSync(image, sizeBytes);
  const port = await freePort();
  // A number below 32768 that names its Unix socket.
  const control = String(port % 30_000);
  const child = pinned(0, ["tgtd", "-f", "-C", control, "--iscsi", `portal=127.0.0.1:${port}`]);
  children.push(child);
  const admin = (...args: string[]) => must("tgtadm", ["-C", control, "--lld", "iscsi", ...args]);
  for (let attempt = 0; ; attempt++) {
    try {
      admin("--op", "new", "--mode", "target", "--tid", "1", "-T", targetName);
      break;
    } catch (error) {
      if (attempt === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  admin("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", image);
  admin("--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL");
  return {
    name: "tgt, file in RAM",
    url: `iscsi://127.0.0.1:${port}/${targetName}/1`,
    pid: child.pid as number,
  };
}

async function startDrydock(children: ChildProcess[]): Promise<Running> {
  const args = [
    "disk",
    "serve",
    "--iscsi",
    "--port",
    "0",
    "--size",
    "256M",
    "--target",
    targetName,
    "--json",
  ];
  const program = join(root, "apps/cli/src/main.ts");
  const child = spawn("taskset", ["-c", "0", process.execPath, program, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { urls } = JSON.parse(line.toString()) as { urls: string[] };
  return { name: "drydock, SCSI disk in memory", url: urls[0], pid: child.pid as number };
}

/** Depth 1 on the server's CPU: across two it would measure how one wakes the other. */
const clientCpu = (depth: number): string => (depth === 1 ? "0" : "1");

interface Figure {
  readonly iops: number;
  readonly cpuUs: number;
}

function qemuBench(work: Work, { url, pid }: Running): Figure {
  const before = cpuSeconds(pid);
  const text = must("taskset", [
    ...["-c", clientCpu(work.depth), "qemu-img", "bench", "-f", "raw", "-t", "none"],
    ...["-c", String(work.count), "-d", String(work.depth), "-s", String(work.bytes)],
    ...(work.isWrite ? ["-w", "--pattern=90"] : []),
    url,
  ]);
  const seconds = Number(/Run completed in ([\d.]+) seconds/.exec(text)?.[1]);
  if (!(seconds > 0)) throw new Error(`qemu-img bench said: ${text}`);
  return { iops: work.count / seconds, cpuUs: ((cpuSeconds(pid) - before) * 1e6) / work.count };
}

/** Random reads of 4 KiB, 32 at once, for two seconds. */
function iscsiPerf({ url, pid }: Running): Figure {
  const seconds = 2;
  const before = cpuSeconds(pid);
  const text = must("taskset", [
    "-c",
    "1",
    "iscsi-perf",
    "-r",
    "-m",
    "32",
    "-b",
    "8",
    "-t",
    String(seconds),
    url,
  ]);
  const iops = Number([...text.matchAll(/iops average (\d+)/g)].at(-1)?.[1]);
  if (!(iops > 0)) throw new Error(`iscsi-perf said: ${text}`);
  return { iops, cpuUs: ((cpuSeconds(pid) - before) * 1e6) / (iops * seconds) };
}

export async function bench(): Promise<BenchTable[]> {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "drydock-perf-"));
  const children: ChildProcess[] = [];
  const rates = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  const memory = new Map<string, number[]>();
  try {
    children.push(...keepAwake());
    const running = [await startTgt(folder, children), await startDrydock(children)];
    for (const server of running) {
      verifyDisk(server.url, folder, sizeBytes, (from, to) => {
        // The disk is there already: qemu-img cannot make one.
        const existing = to === server.url ? ["-n"] : [];
        must("qemu-img", ["convert", ...existing, "-f", "raw", "-O", "raw", from, to]);
      });
      addFigure(memory, server.name, residentMegabytes(server.pid));
    }
    for (let round = 0; round < rounds; round++) {
      const measure = (name: string, run: (server: Running) => Figure): void => {
        for (const server of running) {
          const { iops, cpuUs } = run(server);
          addFigure(rates, `${name}: ${server.name}`, iops);
          addFigure(cpu, `${name}: ${server.name}`, cpuUs);
        }
      };
      measure("4 KiB random read, depth 32, iscsi-perf", iscsiPerf);
      for (const work of works) measure(`${work.name}, qemu-img`, (server) => qemuBench(work, server));
      for (const { name, pid } of running) addFigure(memory, name, residentMegabytes(pid));
    }
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
  return [
    tableOf(
      "Requests",
      "IOPS",
      rates,
      "Over TCP on loopback, the servers in turn; server on CPU 0, client on CPU 1 (depth 1: both on CPU 0), both kept awake. qemu-img goes through the disk in order. 1 MiB: the number is also MiB/s. Data were copied in and out and compared before. At depth 32 our server answers what came together in one piece, so server and client take turns, and on a busy machine each turn waits for a CPU: recorded with `chrt -r 1` therefore. That makes Node's own threads wait for each other where all share one CPU, in 1 MiB writes of depth 1: at ordinary priority those were 759 and 1 010 against tgt's 518 and 427.",
    ),
    tableOf(
      "CPU of the server",
      "microseconds per request",
      cpu,
      "User and system time from /proc, which counts in 10 ms. 1 MiB writes: three copies (from the socket, of the old contents for a power cut, to the store), read from the socket into one block that is used again. Writes of 4 KiB are bounded by the client: a profile of the server under 32 at once has it idle for three quarters of the time, the rest in the system call that answers (3 %), the copies and the collector.",
    ),
    tableOf(
      "Memory of the server",
      "MB resident",
      memory,
      "After 256 MiB were copied in, then after each round. Buffers of commands are used again, up to 64 MiB of them, of which 8 MiB outlast a second without commands. tgt keeps the disk in a file in RAM, which does not count here; ours holds it.",
    ),
  ];
}
