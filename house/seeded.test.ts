// The library of seeded bugs: pages are whole, and doctor names the bugs that it can read.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readBug, readLibrary } from "./seeded/library.ts";
import { tryBug } from "./seeded.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const library = readLibrary();

test("each bug has a public source, two forms that differ, and a fixed form that stands once in the driver", () => {
  for (const { code, name, source, target, wrong, fixed, title } of library) {
    assert.match(source, /^https:\/\/\S+$/, name);
    assert.notEqual(wrong, fixed, name);
    assert.ok(title.length > 10, name);
    if (target.kind === "dext") assert.equal(code.match(/^\/\/ HERE$/gm)?.length, 1, name);
    if (target.kind !== "driver") continue;
    const pieces = readFileSync(join(root, target.file), "utf8").split(fixed);
    assert.equal(pieces.length, 2, `${name}: ${target.file}`);
  }
});

test("a page that is not whole is refused by name", () => {
  assert.throws(() => readBug("no-such-bug"), /no-such-bug/);
});

test("doctor and check find and name the bugs of source and property lists, and are silent on the fixed forms", async () => {
  const readable = library.filter(({ target }) => target.kind === "cpp");
  assert.ok(readable.length >= 15, `${readable.length}`);
  for (const bug of readable) {
    const { isNamed, falseReports, said } = await tryBug(bug);
    assert.deepEqual(falseReports, [], bug.name);
    assert.ok(isNamed, `${bug.name}: ${said.join("; ")}`);
  }
});
