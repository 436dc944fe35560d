// Evidence of a folder: links that lead in circles, what lies too deep, names below the folder, small and empty files.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { UsageError } from "../terminal/usage-error.ts";
import { evidenceOf } from "./evidence-folder.ts";

async function textOf(source: {
  chunks(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source.chunks()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test("a package with links in circles: each file once, each link one line", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-links-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const app = join(folder, "A.app");
  mkdirSync(join(app, "Contents/MacOS"), { recursive: true });
  const long = "y".repeat((1 << 20) + 5);
  writeFileSync(join(app, "Contents/Info.plist"), "<plist/>");
  writeFileSync(join(app, "Contents/empty"), "");
  writeFileSync(join(app, "Contents/long"), long);
  symlinkSync("../..", join(app, "Contents/up"));
  symlinkSync(".", join(app, "Contents/self"));
  symlinkSync("b", join(app, "Contents/a"));
  symlinkSync("a", join(app, "Contents/b"));
  symlinkSync(app, join(app, "Contents/MacOS/A"));
  const { skipped, sources } = evidenceOf([app]);
  assert.deepEqual(
    sources.map(({ name }) => name),
    ["A.app/Contents/Info.plist", "A.app/Contents/empty", "A.app/Contents/long"],
  );
  assert.deepEqual(
    skipped.map(({ name, why }) => `${name} ${why}`),
    ["MacOS/A", "a", "b", "self", "up"].map(
      (name) => `A.app/Contents/${name} is a link and was not followed`,
    ),
  );
  assert.deepEqual(await Promise.all(sources.map(textOf)), ["<plist/>", "", long]);
  // A link that is named is followed; one that leads nowhere is refused in words.
  assert.equal(evidenceOf([join(app, "Contents/self")]).sources.length, 3);
  assert.throws(
    () => evidenceOf([join(app, "Contents/a")]),
    (error) => error instanceof UsageError && /links that lead in a circle/.test(error.message),
  );
});

test("bundles in bundles beyond sixteen: what lies deeper is one line, and the rest is read", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-deep-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  let at = folder;
  for (let depth = 0; depth < 30; depth++) {
    at = join(at, `b${depth}.app`);
    mkdirSync(at);
    writeFileSync(join(at, "Info.plist"), "<plist/>");
  }
  const { skipped, sources } = evidenceOf([folder]);
  assert.equal(sources.length, 16);
  assert.equal(skipped.length, 1);
  assert.match(`${skipped[0].name} ${skipped[0].why}`, /b16\.app lies too deep and was not read$/);
});
