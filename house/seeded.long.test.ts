// A slice of `npm run seeded`: bugs planted in drivers of ours are found by the tools, and the fixed driver has none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readBug } from "./seeded/library.ts";
import { tryBug } from "./seeded.ts";

for (const [name, by] of [
  ["ftdi-status-once", "run"],
  ["nvme-interrupt-lost-for-ever", "campaign"],
  ["nvme-second-page-with-offset", "soak"],
  ["bot-reset-without-clearing", "campaign"],
  ["acm-lines-not-set", "soak"],
] as const)
  test(`${name} is found by ${by}`, async () => {
    const found = await tryBug(readBug(name));
    assert.ok(found.by.includes(by), found.said.join("; "));
    assert.deepEqual(found.falseReports, []);
  });
