// Unix sockets: nothing of somebody else's is replaced or removed, neither at the start nor at the end.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { listen } from "./socket-stream.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-socket-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a socket is there while it is listened on, and nothing is left behind", async () => {
  const path = join(folder, "s");
  const listener = await listen({ path }, () => {});
  assert.deepEqual(readdirSync(folder), ["s"]);
  await listener.close();
  assert.deepEqual(readdirSync(folder), []);
});

test("a file that has the name keeps it", async () => {
  const path = join(folder, "s");
  writeFileSync(path, "three years of work");
  await assert.rejects(
    listen({ path }, () => {}),
    { code: "EEXIST" },
  );
  assert.equal(readFileSync(path, "utf8"), "three years of work");
  assert.deepEqual(readdirSync(folder), ["s"]);
});

// Node's server removes the path that it bound when it closes, whoever has it by then.
test("a file that took the name while the server ran is not removed at its end", async () => {
  const path = join(folder, "s");
  const listener = await listen({ path }, () => {});
  unlinkSync(path);
  writeFileSync(path, "somebody else's");
  await listener.close();
  assert.equal(readFileSync(path, "utf8"), "somebody else's");
});

test("the next server's socket is not removed by the end of the one before", async () => {
  const path = join(folder, "s");
  const first = await listen({ path }, () => {});
  unlinkSync(path);
  const second = await listen({ path }, () => {});
  await first.close();
  assert.deepEqual(readdirSync(folder), ["s"]);
  await second.close();
  assert.deepEqual(readdirSync(folder), []);
});
