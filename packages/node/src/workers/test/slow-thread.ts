// A thread for the pool's test: doubles a number, after so many milliseconds.

import { answerJobs } from "../job-thread.ts";

answerJobs<number, number>(async (job) => {
  if (job < 0) throw new Error("a job below zero");
  await new Promise((resolve) => setTimeout(resolve, job));
  return job * 2;
});
