// Start-up: an empty program, the help page, the registry of a rig.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchTable } from "./run.ts";

const launcher = join(dirname(fileURLToPath(import.meta.url)), "../apps/cli/bin/drydock.mjs");
const environment = { ...process.env };
delete environment.NODE_EXTRA_CA_CERTS;

/** The library that reads command lines, from the same cache of compiled modules as the launcher's. */
const onlyCommander = `import { enableCompileCache } from "node:module";
enableCompileCache(${JSON.stringify(join(dirname(launcher), "../../../node_modules/.cache/drydock-compiled"))});
await import(${JSON.stringify(join(dirname(launcher), "../../../node_modules", "commander", "index.js"))});`;

function milliseconds(args: readonly string[]): number {
  const started = performance.now();
  const result = spawnSync(process.execPath, args, { env: environment });
  if (result.status !== 0) throw new Error(`${args.join(" ")} ended with ${result.status}`);
  return performance.now() - started;
}

export async function bench(): Promise<BenchTable[]> {
  const runs: [string, string[]][] = [
    ["empty Node program", ["-e", "0"]],
    [
      "a program that imports commander, compiled before, and does nothing",
      ["--input-type=module", "-e", onlyCommander],
    ],
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
      note: "Peer: an empty program of the same Node. The rest is reading and compiling modules; each command loads only its own. The aims (15 ms over the empty program for --help, 70 for a case) are missed: commander alone is most of the first; a case loads the rig's 200 modules. All of it bundled into one file was tried: 160 ms over for P02, 60 for --help.",
    },
  ];
}
