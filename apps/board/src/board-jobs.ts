// What the board does by itself, as jobs: whichever of its servers is first does each, and once.

import type { Board } from "@drydock/board/board";
import { draftLivesMs } from "@drydock/board/evidence";
import { forgetViewers } from "@drydock/board/views";
import { workThrough } from "@drydock/node/jobs/job-beats";
import { type JobQueue, jobIdOf, type NewJob, type TakenJob } from "@drydock/node/jobs/job-queue";
import type { StillTrueRuns } from "./still-true-runs.ts";

const dayMs = 86_400_000;
const slotMs = 15 * 60_000;
const noticesLiveMs = 180 * dayMs;
/** Three queues in turn, one a day: what ended the day before yesterday leaves with its queue. */
const keepQueues = 3;
/** When the first page has long been served. */
const firstMs = 1_500;
/** Also how soon a server takes up what another one left lying. */
const againMs = 15_000;

export interface BoardJobsOptions {
  readonly board: Board;
  readonly stillTrue: Pick<StillTrueRuns, "ids" | "build" | "runOnce">;
  /** The queue of all servers of this board. Asked again when it was away. */
  readonly open: () => Promise<JobQueue>;
  readonly onTrouble: (error: unknown) => void;
}

const keepQueue = (day: number): string => `board.keep.${day % keepQueues}`;
/** Cases are run by servers that have the same cases. */
const caseQueue = (build: string): string => `board.cases.${build}`;

const caseOf = (data: unknown): string => (data as { readonly case: string }).case;

export class BoardJobs {
  readonly #options: BoardJobsOptions;
  #queue: JobQueue | null = null;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #isClosed = false;
  #sentSlot = -1;
  #sentBuild: string | null = null;
  #isTold = false;

  constructor(options: BoardJobsOptions) {
    this.#options = options;
  }

  /** `everyMs`: instead of a first look soon and others now and then. */
  start(everyMs?: number): void {
    this.#in(everyMs ?? firstMs, everyMs ?? againMs);
  }

  #in(ms: number, thenMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#round = this.round()
        .then(() => {}, this.#options.onTrouble)
        .finally(() => this.#in(thenMs, thenMs));
    }, ms);
    this.#timer.unref();
  }

  /** Sends what is due and does what waits. Answers how many jobs were answered here. Rejects with StoreTrouble. */
  async round(): Promise<number> {
    this.#queue ??= await this.#options.open();
    const queue = this.#queue;
    const { stillTrue, board } = this.#options;
    const slot = Math.floor(board.now() / slotMs);
    const day = Math.floor(board.now() / dayMs);
    if (slot !== this.#sentSlot) {
      await queue.send(keepQueue(day), [{ id: jobIdOf(`board keep ${slot}`), data: { slot } }]);
      this.#sentSlot = slot;
    }
    const build = stillTrue.build();
    const cases = stillTrue.ids.map(
      (id): NewJob => ({
        id: jobIdOf(`board case ${build} ${id}`),
        data: { case: id },
      }),
    );
    if (build !== this.#sentBuild) {
      await queue.send(caseQueue(build), cases);
      this.#sentBuild = build;
    }
    const answered = await workThrough(
      queue,
      [keepQueue(day), keepQueue(day + keepQueues - 1), caseQueue(build)],
      (job) => this.#do(job),
      () => this.#isClosed,
    );
    if (!this.#isTold && !this.#isClosed) await this.#tellGivenUp(queue, caseQueue(build), cases);
    return answered;
  }

  async #do({ data, queue, id }: TakenJob): Promise<string> {
    const { board, stillTrue } = this.#options;
    if (queue.startsWith("board.cases.")) {
      await stillTrue.runOnce(caseOf(data), id);
      return "run";
    }
    const now = board.now();
    const { accounts, evidence, watching } = board.store;
    await forgetViewers(board.store, now);
    await accounts.forget(now);
    await evidence.forgetDrafts(now - draftLivesMs);
    await evidence.scrub();
    await watching.forgetNotices(now - noticesLiveMs);
    await this.#queue?.drop(keepQueue(Math.floor(now / dayMs) + 1));
    return "kept";
  }

  /** A case that ended three servers is not tried again: somebody has to know. */
  async #tellGivenUp(queue: JobQueue, name: string, jobs: readonly NewJob[]): Promise<void> {
    const ended = await queue.ended(
      name,
      jobs.map(({ id }) => id),
    );
    if (ended.length < jobs.length) return;
    this.#isTold = true;
    for (const { id, answer, why } of ended)
      if (answer === null) {
        const job = jobs.find((each) => each.id === id);
        this.#options.onTrouble(
          new Error(
            `${caseOf(job?.data)} was not run on this build: ${why === "" ? "each run ended its server" : why}`,
          ),
        );
      }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
    await this.#queue?.close();
  }
}
