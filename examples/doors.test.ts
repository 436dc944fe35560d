// Each example of the doors' page runs, and prints what it says that it prints.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mock, test } from "node:test";
import { format } from "node:util";

const folder = join(import.meta.dirname, "doors");

for (const name of readdirSync(folder).filter((each) => each.endsWith(".ts"))) {
  test(`examples/doors/${name} prints what it says`, async () => {
    const [, said] = readFileSync(join(folder, name), "utf8").split("\n// prints:\n");
    const wanted = said
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/^\/\/ ?/, ""));
    const printed: string[] = [];
    const log = mock.method(console, "log", (...values: unknown[]) => printed.push(format(...values)));
    try {
      await import(`./doors/${name}`);
    } finally {
      log.mock.restore();
    }
    assert.deepEqual(printed.join("\n").split("\n"), wanted);
    assert.ok(wanted.join("").length > 0);
  });
}
