// A disk over NBD, in memory and through the whole driver stack, beside nbdkit and qemu-nbd under the same fio.

import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import {
  addFigure as add,
  cpuSeconds,
  keepAwake,
  must,
  residentMegabytes,
  tableOf,
  verifyDisk,
} from "./foreign-servers.ts";
import { fioNbd, nbdDiskBytes, nbdFolder, nbdServers, type RunningNbd, startNbd } from "./nbd-servers.ts";
import type { BenchTable } from "./run.ts";

const rounds = 5;
const runSeconds = 1;
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

interface Figure {
  readonly iops: number;
  readonly cpuUs: number;
}

function measure(work: Work, uri: string, pid: number, folder: string): Figure {
  const before = cpuSeconds(pid);
  // Depth 1 on one CPU: across idle virtual CPUs it would measure the hypervisor.
  const jobs = fioNbd(work.depth === 1 ? 0 : 1, folder, uri, [
    [
      ...["--name=a", `--rw=${work.rw}`, `--bs=${work.bytes}`, `--iodepth=${work.depth}`],
      ...["--time_based", `--runtime=${runSeconds}`],
    ],
  ]);
  const cpuUsed = cpuSeconds(pid) - before;
  const job = jobs.get("a");
  const side = work.rw === "randread" ? job?.read : job?.write;
  if (side === undefined) throw new Error(`fio told nothing of ${work.name}`);
  return { iops: side.iops, cpuUs: (cpuUsed * 1e6) / side.total_ios };
}

export async function bench(): Promise<BenchTable[]> {
  const folder = nbdFolder();
  const children: ChildProcess[] = [];
  const rates = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  const memory = new Map<string, number[]>();
  try {
    children.push(...keepAwake());
    const running: RunningNbd[] = [];
    for (const [index, server] of nbdServers.entries()) {
      const started = await startNbd(server, folder, index);
      children.push(started.child);
      running.push(started);
      add(memory, `${server.name}, before`, residentMegabytes(started.pid));
      verifyDisk(started.uri, folder, nbdDiskBytes, (from, to) => must("nbdcopy", [from, to]));
      add(memory, server.name, residentMegabytes(started.pid));
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
      "fio's NBD engine over a Unix socket, one second each, in turn; server on CPU 0, client on CPU 1 (depth 1: both on CPU 0), both kept awake. 1 MiB: the number is also MiB/s. Data were copied in and out and compared before. Aims of CPU against nbdkit memory: 0.9x at 4 KiB and depth 32, 1.3x at depth 1, 1.0x in 1 MiB reads, 1.3x in 1 MiB writes. What comes is read into one block that is used again. A profile of 1 MiB writes through UAS (perf, by samples) has 30 % of the time in the kernel, 28 % in three copies (to the arena, to the device, to the store), 16 % in Node's and V8's own code, 11 % in compiled JavaScript and 5 % in the collector's threads. Reads of 1 MiB, 32 at once: 26 % in two copies (store to device, device to arena), 10 % in the system call that sends, 11 % in the collector, the rest in steps of 2 % and less. 4 KiB, one at a time: 51 % in the system call that answers, 7 % in the collector, no other part over 3 %: the wall there is a turn of Node's loop and its write.",
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
