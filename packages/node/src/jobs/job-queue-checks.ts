// The contract of JobQueue as a list of checks. The queue is empty, and nobody else's.

import { setTimeout } from "node:timers/promises";
import { equal } from "@drydock/board/board-store-checks";
import { type ContractCheck, expect } from "@drydock/core/ports/contract";
import { attemptsMost, type JobQueue, type NewJob, type TakenJob } from "./job-queue.ts";

/** What a check is given. */
export interface JobQueueBench {
  readonly queue: JobQueue;
  /** The same queue as another process sees it. */
  readonly other: JobQueue;
  /** Everybody who holds a job has been silent for too long. */
  fallSilent(): Promise<void>;
}

/** A UUID for each number. */
export const idOf = (number: number): string => `00000000-0000-8000-8000-${String(number).padStart(12, "0")}`;

const jobs = (count: number): NewJob[] =>
  Array.from({ length: count }, (_, at) => ({ id: idOf(at), data: { at } }));

/** Whoever looks after silent holders comes by now and then. */
async function takeSoon(queue: JobQueue, names: readonly string[]): Promise<TakenJob | null> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const job = await queue.take(names);
    if (job !== null) return job;
    await setTimeout(50);
  }
  return null;
}

async function take(queue: JobQueue, name = "a"): Promise<TakenJob> {
  const job = await queue.take([name]);
  if (job === null) throw new Error(`nothing waits in ${name}`);
  return job;
}

export const jobQueueChecks: readonly ContractCheck<JobQueueBench>[] = [
  {
    name: "jobs are taken once, in the order in which they were sent, with what they were sent with",
    async run({ other, queue }) {
      await queue.send("a", jobs(3));
      const taken = [await take(queue), await take(other), await take(queue)];
      equal(
        taken.map(({ data, id }) => [id, data]),
        jobs(3).map(({ data, id }) => [id, data]),
        "what was taken",
      );
      equal(
        taken.map(({ attempt }) => attempt),
        [1, 1, 1],
        "attempts",
      );
      equal(await other.take(["a"]), null, "a fourth");
    },
  },
  {
    name: "the same job sent again is one job, also when it was answered",
    async run({ other, queue }) {
      await queue.send("a", jobs(2));
      await other.send("a", jobs(2));
      await queue.finish(await take(queue), "done");
      await other.send("a", jobs(2));
      equal((await take(queue)).id, idOf(1), "what is left");
      equal(await queue.take(["a"]), null, "a third");
    },
  },
  {
    name: "a queue that nobody made has nothing, and the first of several that has something gives",
    async run({ queue }) {
      equal(await queue.take(["nobody", "a"]), null, "nothing yet");
      await queue.send("b", jobs(1));
      await queue.send("a", jobs(1));
      equal((await queue.take(["nobody", "a", "b"]))?.queue, "a", "the first");
      equal((await queue.take(["nobody", "a", "b"]))?.queue, "b", "the second");
    },
  },
  {
    name: "one answer is kept, whoever comes second; it is there for others, byte for byte",
    async run({ other, queue }) {
      await queue.send("a", jobs(1));
      const job = await take(queue);
      const answer = '{"é":[1,  2],"b":"\\u0000\\"\\\\"}';
      expect(await queue.finish(job, answer), "the first answer was not kept");
      expect(!(await other.finish(job, "another")), "a second answer was kept");
      equal(await other.ended("a", [idOf(0)]), [{ id: idOf(0), answer, why: "" }], "what ended");
      equal(await other.endedCount("a"), 1, "how many");
      expect(!(await queue.beat(job)), "an answered job is nobody's");
    },
  },
  {
    name: "who speaks keeps its job, who falls silent loses it, and a late answer counts all the same",
    async run({ fallSilent, other, queue }) {
      await queue.send("a", jobs(1));
      const first = await take(queue);
      expect(await queue.beat(first), "it is still its holder's");
      equal(await other.take(["a"]), null, "a job in somebody's hands");
      await fallSilent();
      const second = await takeSoon(other, ["a"]);
      equal(second?.attempt, 2, "the second attempt");
      expect(!(await queue.beat(first)), "the first holder was told that it is still its own");
      expect(await queue.finish(first, "late"), "the late answer was lost");
      expect(second !== null && !(await other.finish(second, "same")), "two answers were kept");
      equal(await queue.ended("a", [idOf(0)]), [{ id: idOf(0), answer: "late", why: "" }], "what ended");
    },
  },
  {
    name: "what three holders did not survive is given up, and said so",
    async run({ fallSilent, other, queue }) {
      await queue.send("a", jobs(2));
      const kept = await take(queue);
      await queue.finish(kept, "fine");
      for (let attempt = 1; attempt <= attemptsMost; attempt++) {
        const job = await takeSoon(attempt % 2 === 0 ? queue : other, ["a"]);
        equal([job?.id, job?.attempt], [idOf(1), attempt], "the attempt");
        await fallSilent();
      }
      for (let attempt = 0; attempt < 400 && (await queue.endedCount("a")) < 2; attempt++) {
        equal(await queue.take(["a"]), null, "a fourth attempt");
        await setTimeout(50);
      }
      const ended = await queue.ended("a", [idOf(0), idOf(1)]);
      equal(
        ended.map(({ answer, id }) => [id, answer]),
        [
          [idOf(0), "fine"],
          [idOf(1), null],
        ],
        "what ended",
      );
    },
  },
  {
    name: "what fails is tried again at once, the third time given up with its reason",
    async run({ queue }) {
      await queue.send("a", jobs(1));
      for (let attempt = 1; attempt <= attemptsMost; attempt++) {
        const job = await takeSoon(queue, ["a"]);
        equal(job?.attempt, attempt, "the attempt");
        if (job !== null) await queue.fail(job, `no ${attempt}`);
      }
      equal(await queue.take(["a"]), null, "a fourth attempt");
      for (let attempt = 0; attempt < 400 && (await queue.endedCount("a")) < 1; attempt++) {
        await queue.take(["a"]);
        await setTimeout(50);
      }
      equal(
        await queue.ended("a", [idOf(0)]),
        [{ id: idOf(0), answer: null, why: `no ${attemptsMost}` }],
        "what ended",
      );
    },
  },
  {
    name: "a failure that comes from a holder of before changes nothing",
    async run({ fallSilent, other, queue }) {
      await queue.send("a", jobs(1));
      const first = await take(queue);
      await fallSilent();
      const second = await takeSoon(other, ["a"]);
      await queue.fail(first, "late");
      expect(second !== null && (await other.beat(second)), "the second holder lost its job");
    },
  },
  {
    name: "ended jobs come in the order asked for, without those that have not",
    async run({ queue }) {
      await queue.send("a", jobs(5));
      for (let at = 0; at < 4; at++) await queue.finish(await take(queue), String(at));
      const ids = [idOf(3), idOf(0), idOf(4), idOf(2)];
      equal(
        (await queue.ended("a", ids)).map(({ answer }) => answer),
        ["3", "0", "2"],
        "answers",
      );
    },
  },
  {
    name: "a queue that is dropped is gone with its answers, and may be made again",
    async run({ other, queue }) {
      await queue.send("a", jobs(2));
      await queue.finish(await take(queue), "x");
      await other.drop("a");
      equal(await queue.endedCount("a"), 0, "answers left");
      await queue.send("a", jobs(1));
      equal((await takeSoon(other, ["a"]))?.attempt, 1, "the new job");
    },
  },
  {
    name: "a note is kept where it is what was read, and never otherwise",
    async run({ other, queue }) {
      expect(await queue.note("c/1", null, "one"), "the first note");
      expect(!(await other.note("c/1", null, "two")), "a second first note");
      expect(await other.note("c/1", "one", "two"), "what was read");
      expect(!(await queue.note("c/1", "one", "three")), "what somebody changed");
      await queue.note("d", null, "elsewhere");
      await queue.note("c/0", null, "zero");
      equal(
        await queue.notes("c/"),
        [
          { key: "c/0", text: "zero" },
          { key: "c/1", text: "two" },
        ],
        "notes",
      );
      expect(await queue.note("c/0", "zero", null), "a note that goes");
      equal((await queue.notes("c/")).length, 1, "notes left");
    },
  },
];
