// What benchmarks beside foreign servers share: processes on one CPU, what they used, CPUs that stay awake.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "@drydock/core/base/random";
import type { BenchTable } from "./run.ts";

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

/** What was copied in must come out: a wrong answer is fast. `copy` gets the source and the target of each way. */
export function verifyDisk(
  url: string,
  folder: string,
  sizeBytes: number,
  copy: (from: string, to: string) => void,
): void {
  const random = new Random(3);
  const words = new Uint32Array(sizeBytes / 4);
  for (let at = 0; at < words.length; at++) words[at] = random.next32();
  const data = new Uint8Array(words.buffer);
  const [source, back] = [join(folder, "in"), join(folder, "out")];
  writeFileSync(source, data);
  copy(source, url);
  copy(url, back);
  const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  if (hash(readFileSync(back)) !== hash(data)) throw new Error("the data came back changed");
  rmSync(source);
  rmSync(back);
}

/** Figures that `addFigure` collected, as a table. */
export function tableOf(
  title: string,
  unit: string,
  values: ReadonlyMap<string, readonly number[]>,
  note: string,
): BenchTable {
  return { title, unit, rows: [...values].map(([name, rounds]) => ({ name, rounds })), note };
}
