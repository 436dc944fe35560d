// A disk over NBD, in memory and through the whole driver stack, beside nbdkit and qemu-nbd under the same fio.

import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  addFigure as add,
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
const runSeconds = 1;
const sizeBytes = 256 << 20;
interface Server {
  readonly name: string;
  command(socket: string, folder: string): [string, ...string[]];
}

const drydock = (way: string) => (socket: string) =>
  [
    process.execPath,
    join(root, "apps/cli/src/main.ts"),
    ...["disk", "serve", "--unix", socket, "--size", "256M", "--through", way],
  ] as [string, ...string[]];

const servers: readonly Server[] = [
  { name: "nbdkit memory", command: (socket) => ["nbdkit", "-f", "-U", socket, "memory", "256M"] },
  {
    name: "qemu-nbd, raw file in RAM",
    command: (socket, folder) => {
      const image = join(folder, "image");
      writeFileSync(image, "");
      truncateSync(image, sizeBytes);
      return ["qemu-nbd", "-t", "-e", "8", "-k", socket, "-f", "raw", "--cache=writeback", image];
    },
  },
  { name: "drydock, memory alone", command: drydock("none") },
  { name: "drydock, SCSI over UAS", command: drydock("uas") },
  { name: "drydock, SCSI over Bulk-Only", command: drydock("bulk-only") },
];

interface Work {
  readonly name: string;
  readonly rw: string;
  readonly bytes: number;
  readonly depth: number;
}

const works: readonly Work[] = [4096, 1 << 20].flatMap((bytes) =>
  [1, 32].flatMap((depth) =>
    ["read", "write"].map((direction) => ({
      name: `${bytes === 4096 ? "4 KiB" : "1 MiB"} ${direction}, depth ${depth}`,
      rw: `rand${direction}`,
      bytes,
      depth,
    })),
  ),
);

async function untilAnswers(socket: string): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    const isThere =
      existsSync(socket) &&
      (await new Promise<boolean>((resolve) => {
        const probe = connect({ path: socket });
        probe.once("connect", () => {
          probe.destroy();
          resolve(true);
        });
        probe.once("error", () => resolve(false));
      }));
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nobody listens on ${socket}`);
}

interface Figure {
  readonly iops: number;
  readonly cpuUs: number;
}

function measure(work: Work, uri: string, pid: number, folder: string): Figure {
  const before = cpuSeconds(pid);
  // Depth 1 on one CPU: across idle virtual CPUs it would measure the hypervisor.
  const cpu = work.depth === 1 ? "0" : "1";
  const text = must("taskset", [
    ...[
      "-c",
      cpu,
      "fio",
      "--name=a",
      "--ioengine=nbd",
      `--uri=${uri}`,
      `--rw=${work.rw}`,
      `--bs=${work.bytes}`,
    ],
    ...[`--iodepth=${work.depth}`, "--size=256M", "--time_based", `--runtime=${runSeconds}`, "--norandommap"],
    ...["--randrepeat=1", "--thread", `--aux-path=${folder}`, "--output-format=json"],
  ]);
  const cpuUsed = cpuSeconds(pid) - before;
  const [job] = JSON.parse(text.slice(text.indexOf("{"))).jobs;
  const side = work.rw === "randread" ? job.read : job.write;
  return { iops: side.iops, cpuUs: (cpuUsed * 1e6) / side.total_ios };
}

export async function bench(): Promise<BenchTable[]> {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "drydock-perf-"));
  const children: ChildProcess[] = [];
  const rates = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  const memory = new Map<string, number[]>();
  try {
    children.push(...keepAwake());
    const running: { name: string; uri: string; pid: number }[] = [];
    for (const [index, server] of servers.entries()) {
      const socket = join(folder, `s${index}`);
      const child = pinned(0, server.command(socket, folder));
      children.push(child);
      await untilAnswers(socket);
      const uri = `nbd+unix:///?socket=${socket}`;
      add(memory, `${server.name}, before`, residentMegabytes(child.pid as number));
      verifyDisk(uri, folder, sizeBytes, (from, to) => must("nbdcopy", [from, to]));
      running.push({ name: server.name, uri, pid: child.pid as number });
      add(memory, server.name, residentMegabytes(child.pid as number));
    }
    for (let round = 0; round < rounds; round++) {
      for (const work of works) {
        for (const { name, pid, uri } of running) {
          const figure = measure(work, uri, pid, folder);
          add(rates, `${work.name}: ${name}`, figure.iops);
          add(cpu, `${work.name}: ${name}`, figure.cpuUs);
        }
      }
      for (const { name, pid } of running) add(memory, name, residentMegabytes(pid));
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
      "fio's NBD engine over a Unix socket, one second each, in turn; server on CPU 0, client on CPU 1 (depth 1: both on CPU 0), both kept awake. 1 MiB: the number is also MiB/s. Data were copied in and out and compared before. Aims of CPU against nbdkit memory: 0.9x at 4 KiB and depth 32, 1.3x at depth 1, 1.0x in 1 MiB reads, 1.3x in 1 MiB writes. What comes is read into one block that is used again. A profile of 1 MiB writes through UAS (perf, by samples) has 30 % of the time in the kernel, 28 % in three copies (to the arena, to the device, to the store), 16 % in Node's and V8's own code, 11 % in compiled JavaScript and 5 % in the collector's threads.",
    ),
    tableOf(
      "CPU of the server",
      "microseconds per request",
      cpu,
      "User and system time from /proc, which counts in 10 ms.",
    ),
    tableOf(
      "Memory of the server",
      "MB resident",
      memory,
      "Before anything was written; then after 256 MiB were copied in, and after each round: what a server keeps beyond the disk's own 256 MiB is its price, and it must not grow.",
    ),
  ];
}
