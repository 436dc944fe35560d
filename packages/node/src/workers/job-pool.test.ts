// The pool of threads: answers in the order of the jobs, errors told, an end when it is stopped.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runJobs } from "./job-pool.ts";

/** A thread that takes longer over early jobs: they finish in another order than they began. */
const thread = new URL("./test/slow-thread.ts", import.meta.url);

test("answers come in the order of the jobs, whoever finished first", async () => {
  const answers: number[] = [];
  await runJobs<number, number>({
    thread,
    jobs: [40, 1, 20, 2, 10, 3],
    workers: 3,
    onAnswer: (answer) => answers.push(answer),
  });
  assert.deepEqual(answers, [80, 2, 40, 4, 20, 6]);
});

test("no jobs at all, and more threads than jobs", async () => {
  const answers: number[] = [];
  await runJobs<number, number>({ thread, jobs: [], workers: 2, onAnswer: (answer) => answers.push(answer) });
  await runJobs<number, number>({
    thread,
    jobs: [5],
    workers: 3,
    onAnswer: (answer) => answers.push(answer),
  });
  assert.deepEqual(answers, [10]);
});

test("a job's error ends the pool with its words", async () => {
  const run = runJobs<number, number>({ thread, jobs: [1, -1, 2], workers: 2, onAnswer: () => {} });
  await assert.rejects(run, /a job below zero/);
});

test("stopped, it begins nothing more and ends at once", async () => {
  const answers: number[] = [];
  await runJobs<number, number>({
    thread,
    jobs: Array.from({ length: 1000 }, () => 5),
    workers: 2,
    onAnswer: (answer) => answers.push(answer),
    isStopped: () => answers.length >= 4,
  });
  assert.equal(answers.length, 4);
});
