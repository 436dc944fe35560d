// Jobs of one kind on a thread per core; answers come back in the order of the jobs, whoever finished first.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

export interface JobPoolOptions<Job, Answer> {
  /** A module that calls {@link import("./job-thread.ts").answerJobs}. */
  readonly thread: URL;
  readonly jobs: Iterable<Job>;
  /** Threads. Default: one per core. */
  readonly workers?: number;
  readonly onAnswer: (answer: Answer, job: Job) => void;
  /** Asked before each job: true begins no more; those under way are dropped. */
  readonly isStopped?: () => boolean;
}

/** What a thread posts. */
export type JobReply<Answer> = { readonly answer: Answer } | { readonly error: string };

/** Resolves when every job is answered or it was stopped. Rejects with the first job's error, or a thread's. */
export async function runJobs<Job, Answer>(options: JobPoolOptions<Job, Answer>): Promise<void> {
  const { thread, onAnswer, isStopped = () => false } = options;
  const jobs = options.jobs[Symbol.iterator]();
  const arrived = new Map<number, { readonly job: Job; readonly answer: Answer }>();
  let begun = 0;
  let told = 0;
  const workers: Worker[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      let busy = 0;
      const give = (worker: Worker): void => {
        const next = isStopped() ? { done: true as const } : jobs.next();
        if (next.done === true) {
          if (busy === 0 || isStopped()) resolve();
          return;
        }
        busy++;
        const number = begun++;
        const job = next.value;
        worker.once("message", (reply: JobReply<Answer>) => {
          busy--;
          if ("error" in reply) {
            reject(new Error(reply.error));
            return;
          }
          arrived.set(number, { job, answer: reply.answer });
          for (let due = arrived.get(told); due !== undefined && !isStopped(); due = arrived.get(told)) {
            arrived.delete(told++);
            onAnswer(due.answer, due.job);
          }
          give(worker);
        });
        worker.postMessage(job);
      };
      for (let count = Math.max(1, options.workers ?? availableParallelism()); count > 0; count--) {
        const worker = new Worker(thread);
        workers.push(worker);
        worker.once("error", reject);
        give(worker);
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
