// Annotations of a CI runner: one line each, whatever is in them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { annotationLine } from "./workflow-command.ts";

test("place, title and message; no property and no message begins a command of its own", () => {
  assert.equal(
    annotationLine({
      level: "error",
      title: "DR02-1",
      message: "one\ntwo",
      file: "a.cpp",
      line: 3,
      column: 5,
    }),
    "::error file=a.cpp,line=3,col=5,title=DR02-1::one%0Atwo\n",
  );
  const hostile = "x\r\n::add-mask::y,line=1::%0A";
  const line = annotationLine({ level: "warning", title: hostile, message: hostile, file: hostile });
  assert.equal(line.split("\n").length, 2);
  assert.equal(
    line,
    "::warning file=x%0D%0A%3A%3Aadd-mask%3A%3Ay%2Cline=1%3A%3A%250A,title=x%0D%0A%3A%3Aadd-mask%3A%3Ay%2Cline=1%3A%3A%250A::x%0D%0A::add-mask::y,line=1::%250A\n",
  );
});
