// A thread that does one job after the other, and is made anew when a job has ended it.

import { Worker } from "node:worker_threads";
import type { JobReply } from "./job-pool.ts";

/** The thread ended under its job: it ran out of memory, ended itself, or was ended. */
export class ThreadEnded extends Error {
  override readonly name = "ThreadEnded";
}

export class ThreadSeat<Job, Answer> {
  readonly #thread: URL;
  #worker: Worker | null = null;

  /** `thread`: a module that calls {@link import("./job-thread.ts").answerJobs}. */
  constructor(thread: URL) {
    this.#thread = thread;
  }

  /** One at a time. Rejects with the job's own error, or with ThreadEnded. */
  ask(job: Job): Promise<Answer> {
    this.#worker ??= new Worker(this.#thread);
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const leave = () => {
        worker.off("message", onReply);
        worker.off("error", onError);
        worker.off("exit", onExit);
      };
      const onReply = (reply: JobReply<Answer>) => {
        leave();
        if ("error" in reply) reject(new Error(reply.error));
        else resolve(reply.answer);
      };
      const onError = (error: unknown) => {
        leave();
        this.#worker = null;
        reject(new ThreadEnded(error instanceof Error ? error.message : String(error)));
      };
      const onExit = () => onError(new Error("the thread ended"));
      worker.on("message", onReply);
      worker.on("error", onError);
      worker.on("exit", onExit);
      worker.postMessage(job);
    });
  }

  /** Ends the thread, whatever it does: a job under way rejects with ThreadEnded. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}
