// DR17-1: A driver's lines are the kernel's by design.

import { watch } from "../../evidence/watch.ts";
import type { Rule } from "../rule.ts";

const row = watch([".dext)"], /^/);
const question = watch(
  ["why is", "why are", "why do", "process kernel", "question"],
  /\bwhy\b.{0,120}\bkernel\b/i,
);

export const linesAreTheKernels: Rule = {
  id: "DR17-1",
  title: "A driver's lines are the kernel's by design",
  severity: "note",
  certainty: "established",
  source: "xnu-11417 log_data system call",
  needs: ["log"],
  why: "A dext's os_log does not talk to the log daemon. The runtime formats the text and hands it to the kernel, which logs it: process kernel, pid 0, no subsystem, no category, for every line. Only the sender in brackets names the dext.",
  fix: ["Nothing is wrong. Search by message text, not by process."],
  who: "you",
  watches: [row, question],
  judge(evidence) {
    const rows = evidence
      .hits(row)
      .filter((hit) => hit.row.process === "kernel" && /\.dext$/.test(hit.row.sender));
    if (rows.length === 0) return [];
    const asked = evidence.hits(question);
    return [
      {
        score: asked.length > 0 ? 60 : 20,
        claim: `${rows[0].row.sender} logs as process kernel, pid 0: that is how every driver extension logs.`,
        because: [rows[0].place, ...asked.slice(0, 1).map((hit) => hit.place)],
      },
    ];
  },
};
