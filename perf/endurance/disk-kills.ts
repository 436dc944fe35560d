// The serving process of a disk in a file, killed again and again under a journal of somebody else's.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "@drydock/core/base/random";
import { blockBytes, contents, slots } from "./journal-client.ts";

const root = join(import.meta.dirname, "../..");
const program = join(root, "apps/cli/src/main.ts");
const imageBytes = 4 << 20;
/** Room of a file system that fills up, less than the slots of the image. */
const roomBytes = 40 * blockBytes;

/** What the host's file system does to the server. */
const modes = ["", "slow", "fail", "full"] as const;
type Mode = (typeof modes)[number] | "lie";

export interface KillsReport {
  kills: number;
  /** Kills under a slow, failing or full file system. */
  disturbed: number;
  acknowledged: number;
  /** Blocks that were looked at after a kill, and lost writes that were put back before. */
  checked: number;
  undone: number;
  failedFlushes: number;
  /** Writes that were answered with an error, as where there is no room. */
  refusedWrites: number;
  /** What runs full: a tmpfs of its own, where one can be mounted, or what the shim says. */
  readonly whatIsFull: "tmpfs" | "shim";
  /** What must not be: a lost block, a failure forgotten. */
  problems: string[];
}

export interface KillsOptions {
  readonly kills: number;
  readonly seed: number;
  /** A file system that says yes to every flush and keeps nothing: problems are what is wanted then. */
  readonly lies?: boolean;
  readonly onKill?: (report: KillsReport) => void;
}

/** Null when it can run here, else what is missing. */
export function killsSkip(): string | null {
  if (process.platform !== "linux") return "only Linux has LD_PRELOAD";
  return spawnSync("cc", ["--version"]).error === undefined
    ? null
    : "cc is missing: apt-get install gcc libc6-dev";
}

interface Life {
  readonly writes: Map<number, { readonly slot: number; readonly isZero: boolean }>;
  readonly acknowledged: [from: number, to: number][];
  readonly refused: Set<number>;
}

/** The journal of one life; problems when something was acknowledged after a flush had failed. */
function readLife(lines: readonly string[], report: KillsReport, mode: Mode): Life {
  const life: Life = { writes: new Map(), acknowledged: [], refused: new Set() };
  let hasFailed = false;
  for (const line of lines) {
    const [kind, first, second, word] = line.split(" ");
    if (kind === "W") {
      life.writes.set(Number(first), { slot: Number(second), isZero: word === "zero" });
    } else if (kind === "E") {
      report.refusedWrites++;
      life.refused.add(Number(first));
    } else if (kind === "F") {
      report.failedFlushes++;
      if (mode === "fail") hasFailed = true;
    } else if (kind === "A") {
      if (hasFailed) report.problems.push(`acknowledged after a failed flush: ${line}`);
      report.acknowledged++;
      life.acknowledged.push([Number(first), Number(second)]);
    }
  }
  return life;
}

/** Puts back what no good fdatasync(2) has kept, newest first. */
function losePower(image: string, undo: string, keptFile: string): number {
  if (!existsSync(undo)) return 0;
  const bytes = readFileSync(undo);
  const kept = existsSync(keptFile) ? Number(readFileSync(keptFile, "latin1")) : 0;
  const notes: { at: number; data: Buffer }[] = [];
  for (let from = kept; from + 16 <= bytes.length; ) {
    const at = Number(bytes.readBigInt64LE(from));
    const length = Number(bytes.readBigInt64LE(from + 8));
    // Killed while it was noted: then it was not written either.
    if (from + 16 + length > bytes.length) break;
    notes.push({ at, data: bytes.subarray(from + 16, from + 16 + length) });
    from += 16 + length;
  }
  const descriptor = openSync(image, "r+");
  for (const { at, data } of notes.reverse()) writeSync(descriptor, data, 0, data.length, at);
  fsyncSync(descriptor);
  closeSync(descriptor);
  return notes.length;
}

/** What may stand in each slot: the newest acknowledged write, or one that came after it. */
class Truth {
  /** By slot: bytes that must be there or any of those written since. */
  readonly #allowed: Buffer[][] = Array.from({ length: slots }, () => [Buffer.alloc(blockBytes)]);

  check(image: string, life: Life, report: KillsReport, where: string): void {
    const newest = new Array<number>(slots).fill(-1);
    for (const [from, to] of life.acknowledged)
      for (let sequence = from; sequence <= to; sequence++) {
        const write = life.writes.get(sequence);
        if (write !== undefined && !life.refused.has(sequence))
          newest[write.slot] = Math.max(newest[write.slot], sequence);
      }
    for (const [sequence, { isZero, slot }] of life.writes) {
      const data = isZero ? Buffer.alloc(blockBytes) : contents(sequence, slot);
      if (sequence === newest[slot]) this.#allowed[slot] = [data];
      else if (sequence > newest[slot]) this.#allowed[slot].push(data);
    }
    const descriptor = openSync(image, "r");
    const block = Buffer.alloc(blockBytes);
    for (let slot = 0; slot < slots; slot++) {
      readSync(descriptor, block, 0, blockBytes, slot * blockBytes);
      report.checked++;
      // A write that was cut is there sector by sector.
      for (let at = 0; at < blockBytes; at += 512) {
        const sector = block.subarray(at, at + 512);
        if (this.#allowed[slot].some((data) => data.subarray(at, at + 512).equals(sector))) continue;
        report.problems.push(
          `${where}: slot ${slot} has ${sector.toString("latin1", 0, 4) === "JOUR" ? `write ${sector.readUInt32BE(4)}` : "other bytes"}, write ${newest[slot]} was acknowledged`,
        );
        break;
      }
      this.#allowed[slot] = [Buffer.from(block)];
    }
    closeSync(descriptor);
  }
}

function newImage(path: string): void {
  const made = openSync(path, "w");
  ftruncateSync(made, imageBytes);
  closeSync(made);
}

/** A file system of so many bytes at `folder`, or one there made larger or smaller; false where this user may not. */
function mountTmpfs(folder: string, bytes: number, more = ""): boolean {
  const words = ["-t", "tmpfs", "-o", `${more}size=${bytes}`, "drydock-kills", folder];
  return spawnSync("mount", words, { stdio: "ignore" }).status === 0;
}

async function firstLine(child: ChildProcess): Promise<string | null> {
  let text = "";
  return new Promise((resolve) => {
    child.stdout?.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.once("exit", () => resolve(null));
  });
}

/** Runs them all; the report's `problems` is what must be empty. */
export async function killDisks(options: KillsOptions): Promise<KillsReport> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-kills-"));
  const shim = join(folder, "power-loss.so");
  const built = spawnSync(
    "cc",
    ["-shared", "-fPIC", "-O1", "-o", shim, join(import.meta.dirname, "power-loss.c"), "-ldl", "-lpthread"],
    { encoding: "utf8" },
  );
  if (built.status !== 0) throw new Error(`the shim cannot be built: ${built.stderr}`);
  const random = new Random(options.seed);
  const image = join(folder, "image");
  const journal = join(folder, "journal");
  newImage(image);
  closeSync(openSync(journal, "w"));
  const small = join(folder, "small");
  mkdirSync(small);
  const isMounted = mountTmpfs(small, roomBytes);
  const report: KillsReport = {
    kills: 0,
    disturbed: 0,
    acknowledged: 0,
    checked: 0,
    undone: 0,
    failedFlushes: 0,
    refusedWrites: 0,
    whatIsFull: isMounted ? "tmpfs" : "shim",
    problems: [],
  };
  const truth = new Truth();
  const client = spawn(process.execPath, [join(import.meta.dirname, "journal-client.ts"), "obey"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let sequence = 1;
  let read = 0;
  let serving: ChildProcess | null = null;
  try {
    for (let kill = 0; kill < options.kills; kill++) {
      // Every third kill meets a file system in trouble.
      const mode: Mode =
        options.lies === true ? "lie" : kill % 3 === 2 ? modes[1 + (Math.floor(kill / 3) % 3)] : "";
      // A disk that runs full is a new one: what has been written once has its room.
      const isSmall = mode === "full" && isMounted;
      const served = isSmall ? join(small, "image") : image;
      if (isSmall) newImage(served);
      const way = random.chance(0.5) ? "uas" : "bulk-only";
      const undo = join(folder, "undo");
      const kept = join(folder, "kept");
      rmSync(undo, { force: true });
      rmSync(kept, { force: true });
      const server = spawn(
        process.execPath,
        [program, "disk", "serve", "--file", served, "--port", "0", "--through", way, "--json"],
        {
          stdio: ["ignore", "pipe", "ignore"],
          env: {
            ...process.env,
            LD_PRELOAD: shim,
            UNDO_FILE: undo,
            UNDO_KEPT: kept,
            IMAGE_FILE: served,
            SHIM_MODE: mode,
            ...(mode === "full" && !isMounted ? { SHIM_ROOM: String(roomBytes) } : {}),
          },
        },
      );
      serving = server;
      const gone = new Promise<void>((resolve) => server.once("exit", () => resolve()));
      const line = await firstLine(server);
      if (line === null) throw new Error(`kill ${kill}: the server did not start`);
      const over = firstLineOf(client);
      client.stdin?.write(
        `${JSON.stringify({ port: (JSON.parse(line) as { port: number }).port, seed: options.seed * 7919 + kill, journal, from: sequence })}\n`,
      );
      // Long enough to run full.
      const wanted = mode === "full" ? 40 : 1 + random.below(12);
      await journalHas(journal, read, wanted);
      await new Promise((resolve) => setTimeout(resolve, random.below(12)));
      server.kill("SIGKILL");
      await gone;
      await over;
      report.kills++;
      if (mode !== "") report.disturbed++;
      const whole = readFileSync(journal, "latin1");
      const lines = whole
        .slice(read)
        .split("\n")
        .filter((text) => text !== "");
      read = whole.length;
      const life = readLife(lines, report, mode);
      for (const known of life.writes.keys()) sequence = Math.max(sequence, known + 1);
      // A hole that is undone needs its room again.
      if (isSmall) mountTmpfs(small, 2 * imageBytes, "remount,");
      report.undone += losePower(served, undo, kept);
      const where = `kill ${kill} (${way}${mode === "" ? "" : `, ${mode}`})`;
      (isSmall ? new Truth() : truth).check(served, life, report, where);
      if (isSmall) {
        rmSync(served);
        mountTmpfs(small, roomBytes, "remount,");
      }
      options.onKill?.(report);
    }
  } finally {
    client.stdin?.end();
    client.kill();
    serving?.kill("SIGKILL");
    if (isMounted) spawnSync("umount", ["--lazy", small]);
    rmSync(folder, { recursive: true, force: true });
  }
  return report;
}

function firstLineOf(client: ChildProcess): Promise<void> {
  return new Promise((resolve) => client.stdout?.once("data", () => resolve()));
}

/** Waits until the journal of this life has so many acknowledgements or errors. */
async function journalHas(journal: string, from: number, wanted: number): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 4) {
    const text = readFileSync(journal, "latin1").slice(from);
    if ((text.match(/^[AFE] /gm)?.length ?? 0) >= wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}
