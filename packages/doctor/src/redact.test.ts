// --redact: teams, serials and user names are in no part of a report, and the answers stay.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "./diagnose.ts";
import { sourcesOf } from "./test/rule-check.ts";

const files = {
  "/Users/jane/log.txt":
    "kernel: DK: A-0x1a:UC failed team ID check. client team=ABCDE12345, driver team=FGHIJ67890\nkernel: /Users/jane/x FGHIJ67890 DK: B-0x1:UC failed userclient-access check, needed bundle ID b\n",
  list: "1 extension(s)\n*\t*\tFGHIJ67890\torg.example.drv (1/1)\tdrv\t[activated enabled]\n",
};

test("what names a person or a team is gone, also where only another file told that it is a secret", async () => {
  const open = JSON.stringify(await diagnose(sourcesOf(files)));
  for (const secret of ["jane", "ABCDE12345", "FGHIJ67890"]) assert.ok(open.includes(secret), secret);
  const closed = await diagnose(sourcesOf(files), { redact: true });
  const text = JSON.stringify(closed);
  for (const secret of ["jane", "ABCDE12345", "FGHIJ67890"]) assert.ok(!text.includes(secret), secret);
  assert.deepEqual(
    closed.answers.map(({ rule }) => rule),
    ["DR20-1", "DR20-3"],
  );
});
