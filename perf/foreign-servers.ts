// What benchmarks beside foreign servers share: processes on one CPU, what they used, CPUs that stay awake.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Clock ticks of /proc/PID/stat a second, on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** A program on one CPU, its output dropped. */
export function pinned(cpu: number, [program, ...args]: readonly [string, ...string[]]): ChildProcess {
  return spawn("taskset", ["-c", String(cpu), program, ...args], { stdio: ["ignore", "ignore", "ignore"] });
}

/** One idle-priority loop on each of two CPUs: across sleeping virtual CPUs one would measure the hypervisor. */
export function keepAwake(): ChildProcess[] {
  return [0, 1].map((which) =>
    spawn("chrt", ["-i", "0", "taskset", "-c", String(which), "sh", "-c", "while :; do :; done"]),
  );
}

/** User and system time of a process so far, counted in 10 ms. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export function residentMegabytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return match === null ? 0 : Number(match[1]) / 1024;
}

/** Stdout of a program that must succeed. */
export function must(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, { encoding: "utf8", maxBuffer: 64 << 20 });
  if (result.status !== 0) throw new Error(`${program}: ${result.error?.message ?? result.stderr}`);
  return result.stdout;
}

/** Adds a figure to those of its name. */
export function addFigure(table: Map<string, number[]>, name: string, value: number): void {
  table.set(name, [...(table.get(name) ?? []), value]);
}
