// The other side of a job pool or a seat, in a thread or a process: one job after the other, each answered or refused.

import { parentPort, Worker } from "node:worker_threads";
import type { JobReply } from "./job-pool.ts";

/**
 * Waits in a thread of its own, for a job may go round in a loop: the pipe's other end is closed by the kernel alone. It waits by
 * events: a thread that stands in a system call would keep a process that ends itself from ending.
 */
const watchman = `
const { Socket } = require("node:net");
const { workerData } = require("node:worker_threads");
const pipe = new Socket({ fd: workerData, readable: true, writable: false });
pipe.on("error", () => {}).on("close", () => process.kill(process.pid, "SIGKILL")).resume();
`;

/** Call it once, in the module of the thread or the process. */
export function answerJobs<Job, Answer>(work: (job: Job) => Promise<Answer>): void {
  const answer = async (job: Job, post: (reply: JobReply<Answer>) => void): Promise<void> => {
    try {
      post({ answer: await work(job) });
    } catch (error) {
      post({ error: error instanceof Error ? error.message : String(error) });
    }
  };
  if (parentPort !== null) {
    const port = parentPort;
    port.on("message", (job: Job) => void answer(job, (reply) => port.postMessage(reply)));
    return;
  }
  const pipe = process.env.DRYDOCK_SEAT_PIPE;
  if (process.send === undefined || pipe === undefined) return;
  // What a job starts has no such pipe.
  delete process.env.DRYDOCK_SEAT_PIPE;
  new Worker(watchman, { eval: true, workerData: Number(pipe) }).unref();
  // Ctrl-C reaches everybody at a terminal: whoever gave the job says when it is over.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("message", (job: Job) => void answer(job, (reply) => process.send?.(reply)));
}
