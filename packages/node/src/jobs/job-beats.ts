// Holding a job: saying that its holder lives, and doing what waits in a queue, one after the other.

import { beatMs, type JobQueue, type TakenJob } from "./job-queue.ts";

/** Says that a job's holder lives, while the queue hears it. */
export class Beats {
  readonly #timer: NodeJS.Timeout;

  constructor(queue: JobQueue, job: TakenJob) {
    // A beat that does not arrive is one that somebody else may have missed too: the answer decides, not the beat.
    this.#timer = globalThis.setInterval(() => void queue.beat(job).catch(() => {}), beatMs);
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

/**
 * Takes what waits in these queues and does it, until nothing waits or `isStopped`. What `act` answers is the job's answer; what it
 * throws is why it failed, and somebody may try again. Answers how many jobs were answered here. Rejects with StoreTrouble
 * when the queue is away: a job in hand then waits again when its holder has been silent long enough.
 */
export async function workThrough(
  queue: JobQueue,
  queues: readonly string[],
  act: (job: TakenJob) => Promise<string>,
  isStopped: () => boolean,
): Promise<number> {
  let answered = 0;
  while (!isStopped()) {
    const job = await queue.take(queues);
    if (job === null) break;
    const beats = new Beats(queue, job);
    try {
      const answer = await act(job).catch(async (error: unknown) => {
        await queue.fail(job, (error instanceof Error ? error.message : String(error)).slice(0, 1000));
        return null;
      });
      if (answer !== null && (await queue.finish(job, answer))) answered++;
    } finally {
      beats.end();
    }
  }
  return answered;
}
