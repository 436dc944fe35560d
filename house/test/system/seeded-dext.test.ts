// A slice of the seeded bugs in C++: each is found by its tool and named; of the fixed forms nothing is said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readBug } from "../../seeded/library.ts";
import { tryBug } from "../../seeded.ts";

for (const [name, by] of [
  ["hid-item-past-the-end", "fuzz"],
  ["events-left-at-the-end", "fuzz"],
  ["log-buffer-lost-on-failure", "test"],
  ["lock-held-over-a-call-back", "run"],
] as const)
  test(`${name} is found by ${by}`, async () => {
    const found = await tryBug(readBug(name));
    assert.ok(found.by.includes(by) && found.isNamed, found.said.join("; "));
    assert.deepEqual(found.falseReports, []);
  });
