// The thread's side of a job pool: one job after the other, each answered or refused.

import { parentPort } from "node:worker_threads";
import type { JobReply } from "./job-pool.ts";

/** Call it once, in the thread's module. */
export function answerJobs<Job, Answer>(work: (job: Job) => Promise<Answer>): void {
  parentPort?.on("message", async (job: Job) => {
    let reply: JobReply<Answer>;
    try {
      reply = { answer: await work(job) };
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    parentPort?.postMessage(reply);
  });
}
