// Load on a server in a process of its own: requests of one size kept under way, rates, bytes and CPU per request.

import { type ChildProcess, spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { addFigure, cpuSeconds } from "./foreign-servers.ts";
import type { BenchRow } from "./run.ts";

export interface Load {
  /** Requests under way at once. */
  readonly depth: number;
  readonly count: number;
  /** The next so many requests, one behind the other. */
  readonly requests: (many: number) => Uint8Array;
  readonly headerBytes: number;
  /** Of each answer, header included. */
  readonly answerBytes: number;
  /** What is wrong with an answer's header, null when nothing is. */
  readonly problemOf: (header: Buffer) => string | null;
}

/** A connection whose bytes go to one listener at a time. */
export class LoadSocket {
  readonly #socket: Socket;
  #onBytes: (bytes: Buffer) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#onBytes(bytes));
    socket.on("error", () => {});
  }

  static async connect(port: number): Promise<LoadSocket> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new LoadSocket(socket);
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What comes, from now on, until it is enough. */
  gather(isEnough: (bytes: Buffer) => boolean): Promise<Buffer> {
    let all = Buffer.alloc(0);
    return new Promise((resolve) => {
      this.#onBytes = (bytes) => {
        all = Buffer.concat([all, bytes]);
        if (isEnough(all)) resolve(all);
      };
    });
  }

  /** Answers seconds; rejects when an answer has a problem. */
  run({ depth, count, requests, headerBytes, answerBytes, problemOf }: Load): Promise<number> {
    let sent = 0;
    let done = 0;
    let skip = 0;
    const head = Buffer.alloc(headerBytes);
    let headLength = 0;
    const send = (many: number): void => {
      sent += many;
      this.#socket.write(requests(many));
    };
    return new Promise((resolve, reject) => {
      const started = performance.now();
      this.#onBytes = (bytes) => {
        let at = 0;
        let finished = 0;
        while (at < bytes.length) {
          if (skip > 0) {
            const taken = Math.min(skip, bytes.length - at);
            skip -= taken;
            at += taken;
            if (skip > 0) break;
            finished++;
            continue;
          }
          const taken = Math.min(headerBytes - headLength, bytes.length - at);
          bytes.copy(head, headLength, at, at + taken);
          headLength += taken;
          at += taken;
          if (headLength < headerBytes) break;
          headLength = 0;
          const problem = problemOf(head);
          if (problem !== null) {
            reject(new Error(problem));
            return;
          }
          skip = answerBytes - headerBytes;
          if (skip === 0) finished++;
        }
        done += finished;
        if (done === count) resolve((performance.now() - started) / 1000);
        else if (finished > 0 && sent < count) send(Math.min(finished, count - sent));
      };
      send(Math.min(depth, count));
    });
  }
}

/** A server script of this folder, pinned to the first CPU; it says its ports on the first line of stdout. */
export async function startServer(
  script: string,
  kind: "ours" | "bare" | "headset" | "paced",
): Promise<{ child: ChildProcess; ports: number[] }> {
  const child = spawn("taskset", ["-c", "0", process.execPath, join(import.meta.dirname, script), kind], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ports = await new Promise<number[]>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the ${kind} server ended with ${code}`)));
    child.stdout?.once("data", (text) => resolve(String(text).trim().split(" ").map(Number)));
  });
  return { child, ports };
}

/** Transfers of one size. */
export interface Work {
  /** Bytes of data in each. */
  readonly length: number;
  readonly depth: number;
  readonly count: number;
}

/** Figures of each round by row: transfers per second, MB/s of bulk, microseconds of the server process. */
export class Measures {
  readonly #rates = new Map<string, number[]>();
  readonly #megabytes = new Map<string, number[]>();
  readonly #cpu = new Map<string, number[]>();

  async measure(name: string, pid: number, work: Work, run: () => Promise<number>): Promise<void> {
    // Counted in ticks of 10 ms: a run must be long against that.
    const before = cpuSeconds(pid);
    const seconds = await run();
    addFigure(this.#rates, name, work.count / seconds);
    if (work.length >= 512) addFigure(this.#megabytes, name, (work.count * work.length) / seconds / 1e6);
    addFigure(this.#cpu, name, ((cpuSeconds(pid) - before) * 1e6) / work.count);
  }

  get rates(): BenchRow[] {
    return rowsOf(this.#rates);
  }

  get megabytes(): BenchRow[] {
    return rowsOf(this.#megabytes);
  }

  get cpu(): BenchRow[] {
    return rowsOf(this.#cpu);
  }
}

function rowsOf(table: Map<string, number[]>): BenchRow[] {
  return [...table].map(([name, rounds]) => ({ name, rounds }));
}
