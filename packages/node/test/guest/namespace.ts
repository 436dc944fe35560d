// A network namespace of its own in which commands run. Needs root.

import { type ChildProcess, spawn } from "node:child_process";

/** False, or why a test must skip. */
export const namespaceSkip =
  process.getuid?.() === 0 ? false : "a TAP device in a network namespace of its own needs root";

/** A script in a namespace, with what it said so far. What it starts in the background it names by "pid N". */
export class Namespace {
  readonly #shell: ChildProcess;
  said = "";
  readonly #ended: Promise<void>;

  constructor(script: string, words: readonly string[] = []) {
    this.#shell = spawn("unshare", ["-n", "sh", "-c", script, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (bytes: Buffer): void => {
      this.said += bytes.toString("latin1");
    };
    this.#shell.stdout?.on("data", keep);
    this.#shell.stderr?.on("data", keep);
    this.#ended = new Promise((resolve) => this.#shell.once("close", () => resolve()));
  }

  /** For `nsenter -t` and `ip link set ... netns`. */
  get pid(): string {
    return String(this.#shell.pid);
  }

  /** Runs another command in it; answers what it printed. */
  run(...words: readonly string[]): Promise<string> {
    const child = spawn("nsenter", ["-t", this.pid, "-n", ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => resolve(text));
    });
  }

  /** Ends the commands that the script began, by the numbers that it printed, and waits for the script. */
  async end(): Promise<void> {
    for (const [, pid] of this.said.matchAll(/pid (\d+)/g)) process.kill(Number(pid), "SIGTERM");
    await this.#ended;
  }
}
