// A served disk under load for as long as asked: what it holds and how long its collector pauses, stage by stage.

import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { cpuSeconds, residentMegabytes } from "../foreign-servers.ts";
import { drydockNbd, fioNbd, nbdDiskBytes, nbdFolder, startNbd } from "../nbd-servers.ts";
import type { ServerWatch } from "./server-watch.ts";

const stages = 10;
const pieceBytes = 4096;
/** Of the disk's own bytes: what a server holds beyond what it held before (issue of speed, memory). */
const mostHeld = 1.3;

export interface LoadReport {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

async function watchOf(pid: number, file: string): Promise<ServerWatch> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  for (let tries = 0; tries < 500; tries++) {
    await setTimeout(20);
    if (!existsSync(file)) continue;
    const text = readFileSync(file, "utf8");
    if (text.endsWith("}")) return JSON.parse(text) as ServerWatch;
  }
  throw new Error("the server said nothing of itself");
}

const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** `requests` of 4 KiB, half of them writes, 32 at once over four connections, on a disk through UAS. */
export async function loadNbd(requests: number, say: (line: string) => void): Promise<LoadReport> {
  const folder = nbdFolder();
  const file = join(folder, "watch");
  process.env.DRYDOCK_WATCH_FILE = file;
  const words = ["--import", join(import.meta.dirname, "server-watch.ts")];
  const server = await startNbd({ name: "drydock", command: drydockNbd("uas", words) }, folder, 0);
  const { pid, uri } = server;
  try {
    const before = residentMegabytes(pid);
    const fill = ["--name=fill", "--rw=write", "--bs=1048576", "--iodepth=8"];
    fioNbd(1, folder, uri, [fill]);
    const filled = residentMegabytes(pid);
    const job = [
      ...[
        "--name=load",
        "--rw=randrw",
        `--bs=${pieceBytes}`,
        "--iodepth=8",
        "--numjobs=4",
        "--group_reporting",
      ],
      `--io_size=${Math.ceil(requests / stages / 4) * pieceBytes}`,
    ];
    const held: number[] = [];
    const seen: string[] = [];
    let done = 0;
    const begun = performance.now();
    const cpu = cpuSeconds(pid);
    for (let stage = 0; stage < stages; stage++) {
      const load = fioNbd(1, folder, uri, [job]).get("load");
      done += (load?.read.total_ios ?? 0) + (load?.write.total_ios ?? 0);
      // Connections that ended are let go of in the next turn.
      await setTimeout(2000);
      const { resources } = await watchOf(pid, file);
      held.push(residentMegabytes(pid));
      seen.push(JSON.stringify([descriptorsOf(pid), resources]));
      say(`${done} requests: ${held[stage].toFixed(0)} MB, ${seen[stage]}`);
    }
    const seconds = (performance.now() - begun) / 1000;
    const { pauses, pausesMs } = await watchOf(pid, file);
    const rank = Math.min(pausesMs.length - 1, Math.floor(pauses / 1000));
    const ratio = (megabytes: number): number => ((megabytes - before) * (1 << 20)) / nbdDiskBytes;
    const problems = [
      ...(done >= requests ? [] : [`${done} of ${requests} requests were made`]),
      ...(new Set(seen).size === 1
        ? []
        : [`descriptors or resources changed: ${[...new Set(seen)].join("; ")}`]),
      ...(Math.max(ratio(filled), ...held.map(ratio)) <= mostHeld
        ? []
        : [
            `held ${Math.max(ratio(filled), ...held.map(ratio)).toFixed(2)} of the disk's bytes, more than ${mostHeld}`,
          ]),
    ];
    return {
      lines: [
        `${done} requests of 4 KiB, half of them writes, in ${Math.round(seconds)} s (${Math.round(done / seconds)} a second, ${(((cpuSeconds(pid) - cpu) * 1e6) / done).toFixed(1)} us of the server's CPU each): SCSI over UAS behind NBD`,
        `of the disk's 256 MiB the server held ${ratio(filled).toFixed(2)} times as much more after they were written, ${ratio(held[0]).toFixed(2)} after a tenth of the load, ${ratio(held[stages - 1]).toFixed(2)} at its end`,
        `after each tenth: descriptors and resources ${[...new Set(seen)].join(", then ")}`,
        `the collector paused ${pauses} times, 999 of 1000 under ${pausesMs[rank].toFixed(2)} ms, the longest ${pausesMs[0].toFixed(2)} ms`,
      ],
      problems,
    };
  } finally {
    server.child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
