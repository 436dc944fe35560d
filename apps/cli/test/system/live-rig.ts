// Starts `drydock start` as a child process for system tests, and ends it by its own id.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const launcher = join(dirname(fileURLToPath(import.meta.url)), "../../bin/drydock.mjs");

export interface LiveRig {
  readonly terminal: string;
  readonly folder: string;
  /** What it said on stderr so far. */
  talk(): string;
  type(line: string): void;
  /** Interrupts it and answers its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts `drydock start`, or another live command with the same conventions. Resolves when the first port is there;
 * rejects when the command ends before that or takes too long.
 */
export async function startLiveRig(
  args: readonly string[],
  command: readonly string[] = ["start"],
): Promise<LiveRig> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-test-"));
  const child: ChildProcess = spawn(
    process.execPath,
    [launcher, ...command, "--json", "--link", join(folder, "tty"), "--for", "120", ...args],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  let talk = "";
  let output = "";
  child.stderr?.on("data", (chunk) => {
    talk += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const terminal = await new Promise<string>((resolve, reject) => {
    const giveUp = setTimeout(() => reject(new Error(`no port in 20 s: ${talk}`)), 20_000);
    child.stdout?.on("data", (chunk) => {
      output += chunk;
      const end = output.indexOf("\n");
      if (end < 0) return;
      clearTimeout(giveUp);
      resolve(JSON.parse(output.slice(0, end)).ports[0].link);
    });
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${talk}`)));
  });
  return {
    terminal,
    folder,
    talk: () => talk,
    type: (line) => child.stdin?.write(`${line}\n`),
    stop: async () => {
      child.kill("SIGINT");
      const code = await ended;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** False with the package's name when a program is not installed: the test then says so and is skipped. */
export function missingProgram(program: string, debianPackage: string): string | false {
  const found = spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
  return found ? false : `${program} is missing: apt-get install ${debianPackage}`;
}

/** Waits until `condition` holds; rejects with `what` after `limitMs`. */
export async function until(condition: () => boolean, what: string, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
