// Start-up: an empty program, the help page, the registry of a rig.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchTable } from "./run.ts";

const launcher = join(dirname(fileURLToPath(import.meta.url)), "../apps/cli/bin/drydock.mjs");
const environment = { ...process.env };
delete environment.NODE_EXTRA_CA_CERTS;

function milliseconds(args: readonly string[]): number {
  const started = performance.now();
  const result = spawnSync(process.execPath, args, { env: environment });
  if (result.status !== 0) throw new Error(`${args.join(" ")} ended with ${result.status}`);
  return performance.now() - started;
}

export async function bench(): Promise<BenchTable[]> {
  const runs: [string, string[]][] = [
    ["empty Node program", ["-e", "0"]],
    ["drydock --help", [launcher, "--help"]],
    ["drydock rigs", [launcher, "rigs"]],
    ["drydock registry (device up, two virtual seconds)", [launcher, "registry"]],
    ["drydock case P02", [launcher, "case", "P02"]],
  ];
  const rows = runs.map(([name]) => ({ name, rounds: [] as number[] }));
  for (let round = 0; round < 9; round++) {
    runs.forEach(([, args], index) => {
      rows[index].rounds.push(milliseconds(args));
    });
  }
  return [
    {
      title: "Start-up",
      unit: "ms",
      rows,
      note: "Peer: an empty program of the same Node. The rest is reading and compiling modules; each command loads only its own.",
    },
  ];
}
