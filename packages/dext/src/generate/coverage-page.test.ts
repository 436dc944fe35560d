// The page of what is described counts what the descriptions hold, and marks what the host has not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readDescriptions } from "../frameworks/description-files.ts";
import { buildCoveragePage } from "./coverage-page.ts";
import { describedFrameworks } from "./frameworks.ts";

const model = describedFrameworks(readDescriptions());

test("a call that the host has not is marked; bodies of our runtime and calls that it has are not", () => {
  const page = buildCoveragePage(model, new Set(["IOService.Start"]));
  const row = page.split("\n").find((line) => line.startsWith("| `IOService` : OSObject | local |"));
  const dispatched = page.split("\n").find((line) => /^\| {2}\| dispatched \| Start, \*Stop\*/.test(line));
  assert.ok(row?.includes(" init, free, GetProvider"), `the row is ${row}`);
  assert.ok(dispatched, "no row of IOService's dispatched methods");
});

test("the table counts every class and method once", () => {
  const page = buildCoveragePage(model, new Set());
  const counted = [...page.matchAll(/^\| (\w+) \| (\d+) \| (\d+) \| \d+ \|/gm)];
  const classes = counted.reduce((sum, [, , count]) => sum + Number(count), 0);
  const methods = counted.reduce((sum, [, , , count]) => sum + Number(count), 0);
  assert.equal(classes, model.classes.size);
  assert.equal(
    methods,
    [...model.classes.values()].reduce((sum, one) => sum + one.methods.length, 0),
  );
});

test("docs/dext-frameworks.md is what the descriptions say", () => {
  const page = new URL("../../../../docs/dext-frameworks.md", import.meta.url);
  assert.equal(readFileSync(page, "utf8"), buildCoveragePage(model, null), "run: npm run new -- catalogue");
});
