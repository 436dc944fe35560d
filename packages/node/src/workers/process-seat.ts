// A process that does one job after the other, and is made anew when a job has ended it.

import { type ChildProcess, fork } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";
import type { JobReply } from "./job-pool.ts";

/** The process ended under its job: it ran out of memory, ended itself, or was ended. */
export class SeatEnded extends Error {
  override readonly name = "SeatEnded";
}

/**
 * A process and no thread: V8 collects with threads of its own unless a process begins without them, and where each core has a
 * seat they cost a sixth more in all and take from the others.
 */
const flags = ["--single-threaded-gc"];

export class ProcessSeat<Job, Answer> {
  readonly #module: string;
  #process: ChildProcess | null = null;

  /** `module`: one that calls {@link import("./job-thread.ts").answerJobs}. */
  constructor(module: URL) {
    this.#module = fileURLToPath(module);
  }

  /** One at a time. Rejects with the job's own error, or with SeatEnded. */
  ask(job: Job): Promise<Answer> {
    this.#process ??= this.#start();
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const leave = () => {
        child.off("message", onReply);
        child.off("error", onError);
        child.off("exit", onExit);
      };
      const onReply = (reply: unknown) => {
        leave();
        const said = reply as JobReply<Answer>;
        if ("error" in said) reject(new Error(said.error));
        else resolve(said.answer);
      };
      const onError = (error: Error) => {
        leave();
        if (this.#process === child) this.#process = null;
        child.kill("SIGKILL");
        reject(new SeatEnded(error.message));
      };
      const onExit = (code: number | null, signal: NodeJS.Signals | null) =>
        onError(new Error(`the process ended by ${signal ?? `exit ${code}`}`));
      child.on("message", onReply);
      child.on("error", onError);
      child.on("exit", onExit);
      child.send(job as never);
    });
  }

  #start(): ChildProcess {
    const compiled = getCompileCacheDir();
    const child = fork(this.#module, {
      execArgv: flags,
      serialization: "advanced",
      // What a rig file prints is talk. Nothing is ever written to the pipe: the kernel closes it when this process is killed.
      stdio: ["ignore", 2, 2, "ipc", "pipe"],
      env: {
        ...process.env,
        DRYDOCK_SEAT_PIPE: "4",
        ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
      },
    });
    child.once("exit", () => {
      if (this.#process === child) this.#process = null;
    });
    return child;
  }

  /** Ends the process, whatever it does: a job under way rejects with SeatEnded. */
  async end(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}
