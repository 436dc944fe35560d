// A small reader of a disk over NBD, alone and beside four writers of large pieces: how long it waits.

import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { addFigure as add, cpuSeconds, keepAwake, tableOf } from "./foreign-servers.ts";
import { fioNbd, nbdFolder, nbdServers, type RunningNbd, startNbd } from "./nbd-servers.ts";
import type { BenchTable } from "./run.ts";

const rounds = 5;
const runSeconds = 2;
const timed = ["--time_based", `--runtime=${runSeconds}`];
const reader = ["--name=reader", "--rw=randread", "--bs=4096", "--iodepth=1", ...timed];
const writers = [1, 2, 3, 4].map((which) => [
  ...[`--name=writer-${which}`, "--rw=randwrite", "--bs=1048576", "--iodepth=8", ...timed],
]);

export async function bench(): Promise<BenchTable[]> {
  const folder = nbdFolder();
  const children: ChildProcess[] = [];
  const waits = new Map<string, number[]>();
  const ratios = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  try {
    children.push(...keepAwake());
    const running: RunningNbd[] = [];
    for (const [index, server] of nbdServers.entries()) {
      running.push(await startNbd(server, folder, index));
      children.push(running[index].child);
    }
    for (let round = 0; round < rounds; round++) {
      for (const { name, pid, uri } of running) {
        const p99 = (jobs: readonly (readonly string[])[]): number => {
          const told = fioNbd(1, folder, uri, jobs);
          for (const [job, { write }] of told)
            if (job !== "reader" && write.total_ios === 0) throw new Error(`${name}: ${job} wrote nothing`);
          const nanoseconds = told.get("reader")?.read.clat_ns.percentile?.["99.000000"];
          if (nanoseconds === undefined) throw new Error("fio told no percentile");
          return nanoseconds / 1000;
        };
        const quiet = p99([reader]);
        const before = cpuSeconds(pid);
        const beside = p99([reader, ...writers]);
        add(cpu, name, ((cpuSeconds(pid) - before) * 100) / runSeconds);
        add(waits, `alone: ${name}`, quiet);
        add(waits, `beside four writers: ${name}`, beside);
        add(ratios, name, beside / quiet);
      }
    }
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
  return [
    tableOf(
      "The reader's 99th percentile",
      "microseconds",
      waits,
      "fio's NBD engine over a Unix socket, five clients in one process on CPU 1, the server on CPU 0. The reader asks for 4 KiB, one at a time; each writer has eight pieces of 1 MiB under way.",
    ),
    tableOf(
      "Beside four writers, as a multiple of alone",
      "times",
      ratios,
      "Aim: at most 10. What is written is in the same socket queues of the kernel as what is read: a piece of 1 MiB takes a server of one thread 0.2 to 0.3 ms, and four writers have one each in front of a reader.",
    ),
    tableOf("The server beside four writers", "percent of a core", cpu, "From /proc, in ticks of 10 ms."),
  ];
}
