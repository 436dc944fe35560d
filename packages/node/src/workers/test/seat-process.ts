// What a process seat gives its jobs to: it echoes, refuses, prints, ends itself, or goes round in a loop.

import { answerJobs } from "../job-thread.ts";

answerJobs<string, string>(async (job) => {
  if (job === "refuse") throw new Error("not that one");
  if (job === "exit") process.exit(7);
  if (job === "print") console.log("talk of a rig file");
  if (job === "loop") {
    process.stderr.write("round and round\n");
    for (;;);
  }
  return `${job} ${process.pid}`;
});
