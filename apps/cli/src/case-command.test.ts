// drydock case --all: every pair of the casebook, on another seed, and the code that says whether all hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import { caseIds } from "@drydock/cases/case-doors";
import { recordedIo } from "../test/recorded-io.ts";
import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";
import { exitCodes } from "./terminal/exit-codes.ts";

test("every case holds, each told once", async () => {
  const io = recordedIo();
  assert.equal(await runCommandLine(commandTable, ["case", "--all", "--seed", "11"], io), exitCodes.pass);
  for (const id of caseIds) assert.equal(io.printed().split(`${id}  holds  `).length, 2, id);
  assert.match(io.printed(), new RegExp(`^${caseIds.length} of ${caseIds.length} hold$`, "m"));
});
