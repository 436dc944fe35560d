// drydock check on an app of 50 MB, from the start of the process: every sealed resource is read and hashed.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sampleApp, sampleDext, sealOf } from "@drydock/doctor/test/signed-samples";
import type { BenchTable } from "./run.ts";

const launcher = join(import.meta.dirname, "../apps/cli/bin/drydock.mjs");
const resources = 50;
const resourceBytes = 1_000_000;
const rounds = 7;

/** The app, its driver inside, and its resources with their hashes in the seal. */
function writeApp(folder: string): void {
  const sealed: Record<string, Uint8Array> = {};
  for (let index = 0; index < resources; index++)
    sealed[`Resources/part-${index}.bin`] = new Uint8Array(resourceBytes).map(
      (_, at) => (at * 31 + index) & 0xff,
    );
  const files = [
    ...sampleApp({ seal: sealOf(sealed) }),
    ...sampleDext(),
    ...Object.entries(sealed).map(([name, bytes]) => ({ name: `Sample.app/Contents/${name}`, bytes })),
  ];
  for (const { bytes, name } of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

export async function bench(): Promise<BenchTable[]> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-check-"));
  try {
    writeApp(folder);
    const app = join(folder, "Sample.app");
    const timed = (command: string, args: readonly string[], ends: readonly number[]): number => {
      const begun = performance.now();
      const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
      if (!ends.includes(status ?? -1)) throw new Error(`${command} ended with ${status}: ${stderr}`);
      return (performance.now() - begun) / 1000;
    };
    const rows = [
      { name: `drydock check --github, ${resources} MB`, rounds: [] as number[] },
      { name: "openssl dgst -sha256 of the same files", rounds: [] as number[] },
    ];
    const paths = Array.from({ length: resources }, (_, index) =>
      join(app, `Contents/Resources/part-${index}.bin`),
    );
    for (let round = 0; round < rounds; round++) {
      // What it finds is no matter here: a sample is signed by nobody.
      rows[0].rounds.push(timed(process.execPath, [launcher, "check", app, "--github"], [0, 1]));
      rows[1].rounds.push(timed("openssl", ["dgst", "-sha256", ...paths], [0]));
    }
    return [
      {
        title: "drydock check",
        unit: "s",
        rows,
        note: "From the start of the process to its end, an app with its driver and its sealed resources. The peer does nothing but hash the resources. The aim is 2 s.",
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
