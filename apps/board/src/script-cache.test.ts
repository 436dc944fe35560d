// Built scripts kept between starts: the same files give the same script unbuilt, one changed file gives a new one.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ScriptCache } from "./script-cache.ts";

const root = mkdtempSync(join(tmpdir(), "drydock-scripts-"));
after(() => rmSync(root, { recursive: true, force: true }));

const source = join(root, "a.ts");
let builds = 0;
const build = async () => ({ inputs: ["a.ts"], code: `script ${++builds}` });
const get = (recipe = "1", name = "a") =>
  new ScriptCache({ folder: join(root, "kept"), root, recipe }).get(name, build);

test("built once; again when a file, the recipe or the name is another", async () => {
  writeFileSync(source, "one");
  assert.equal(await get(), "script 1");
  assert.equal(await get(), "script 1");
  writeFileSync(source, "two");
  assert.equal(await get(), "script 2");
  assert.equal(await get("2"), "script 3");
  assert.equal(await get("1", "b"), "script 4");
  assert.equal(await get(), "script 2");
});

test("a damaged or missing file is built again, a folder that is none costs nothing", async () => {
  for (const name of readdirSync(join(root, "kept"))) writeFileSync(join(root, "kept", name), '{"inputs":{');
  const before = builds;
  assert.equal(await get(), `script ${before + 1}`);
  rmSync(join(root, "kept"), { recursive: true });
  writeFileSync(join(root, "kept"), "a file");
  assert.equal(await get(), `script ${before + 2}`);
  assert.equal(await get(), `script ${before + 3}`);
  rmSync(join(root, "kept"));
  mkdirSync(join(root, "kept"));
  rmSync(source);
  await assert.rejects(get(), /ENOENT/);
});
