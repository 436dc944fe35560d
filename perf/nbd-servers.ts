// Disks over NBD in processes of their own: ours, in memory and through the driver stack, nbdkit's and qemu-nbd's.

import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { must, pinned } from "./foreign-servers.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
export const nbdDiskBytes = 256 << 20;

export interface NbdServer {
  readonly name: string;
  command(socket: string, folder: string): [string, ...string[]];
}

export interface RunningNbd {
  readonly name: string;
  readonly uri: string;
  readonly pid: number;
  readonly child: ChildProcess;
}

/** In memory, for sockets and images; the caller removes it. */
export const nbdFolder = (): string =>
  mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "drydock-perf-"));

/** `nodeWords`: for Node itself. */
export const drydockNbd =
  (way: string, nodeWords: readonly string[] = []) =>
  (socket: string): [string, ...string[]] => [
    process.execPath,
    ...nodeWords,
    join(root, "apps/cli/src/main.ts"),
    ...["disk", "serve", "--unix", socket, "--size", "256M", "--through", way],
  ];

export const nbdServers: readonly NbdServer[] = [
  { name: "nbdkit memory", command: (socket) => ["nbdkit", "-f", "-U", socket, "memory", "256M"] },
  {
    name: "qemu-nbd, raw file in RAM",
    command: (socket, folder) => {
      const image = join(folder, "image");
      writeFileSync(image, "");
      truncateSync(image, nbdDiskBytes);
      return ["qemu-nbd", "-t", "-e", "8", "-k", socket, "-f", "raw", "--cache=writeback", image];
    },
  },
  { name: "drydock, memory alone", command: drydockNbd("none") },
  { name: "drydock, SCSI over UAS", command: drydockNbd("uas") },
  { name: "drydock, SCSI over Bulk-Only", command: drydockNbd("bulk-only") },
];

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

/** The server on CPU 0, when it answers. */
export async function startNbd(server: NbdServer, folder: string, index: number): Promise<RunningNbd> {
  const socket = join(folder, `s${index}`);
  const child = pinned(0, server.command(socket, folder));
  await untilAnswers(socket);
  return { name: server.name, uri: `nbd+unix:///?socket=${socket}`, pid: child.pid as number, child };
}

/** One of fio's jobs as its JSON tells it; times in nanoseconds. */
export interface FioSide {
  readonly iops: number;
  readonly total_ios: number;
  readonly clat_ns: { readonly percentile?: Readonly<Record<string, number>> };
}

/** fio's NBD engine on one CPU; answers each job by its name. */
export function fioNbd(
  cpu: number,
  folder: string,
  uri: string,
  jobs: readonly (readonly string[])[],
): ReadonlyMap<string, { readonly read: FioSide; readonly write: FioSide }> {
  const text = must("taskset", fioWords(cpu, folder, uri, jobs));
  const told = JSON.parse(text.slice(text.indexOf("{"))).jobs as {
    jobname: string;
    read: FioSide;
    write: FioSide;
  }[];
  return new Map(told.map((job) => [job.jobname, job]));
}

/** For `taskset`. Each job begins with its `--name`. */
export const fioWords = (
  cpu: number,
  folder: string,
  uri: string,
  jobs: readonly (readonly string[])[],
): string[] => [
  ...["-c", String(cpu), "fio", "--ioengine=nbd", `--uri=${uri}`, "--size=256M", "--norandommap"],
  ...["--randrepeat=1", "--thread", `--aux-path=${folder}`, "--output-format=json"],
  ...jobs.flat(),
];
