// The scripts of the pages are built for pages: nothing of Node's is in them, and they are no larger than they need be.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { casebook } from "@drydock/cases/casebook";
import { assetNames, assetOf } from "./assets.ts";

const bodyOf = async (name: string): Promise<string> => String((await assetOf(name))?.body ?? "");

test("core, casebook and doctor in a worker need nothing of Node's", async () => {
  const code = await bodyOf("case-worker.js");
  assert.ok(code.length > 100_000, "it holds the casebook");
  // Found in P09, whose comparison needed a Buffer that no page has.
  const found =
    /\bBuffer\.(?:from|alloc|compare|concat)|\bprocess\.(?:env|stdout|platform|hrtime)|\bsetImmediate\(/.exec(
      code,
    );
  assert.equal(found?.[0], undefined);
  // Each case brings its device, its drivers and its evidence.
  const most = casebook.length * 22_500;
  assert.ok(
    gzipSync(code).length < most,
    `${gzipSync(code).length} bytes gzipped for ${casebook.length} cases`,
  );
});

test("the page's own script makes no element from text, and stays small", async () => {
  const code = await bodyOf("page.js");
  assert.doesNotMatch(code, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  assert.ok(Buffer.byteLength(code) < 8000, `${Buffer.byteLength(code)} bytes`);
});

test("the lab: what draws it is small, nothing of Node's is in it, no element is made from text", async () => {
  let packed = 0;
  let first = 0;
  for (const name of [
    "lab.js",
    "lab.css",
    "style.css",
    "lab-worker.js",
    "lab-rig-worker.js",
    "lab-case-worker.js",
  ]) {
    const code = await bodyOf(name);
    const bytes = gzipSync(code).length;
    if (!name.includes("worker")) packed += bytes;
    // Other rigs and the casebook come when one of them is opened.
    if (!name.includes("worker") || name === "lab-worker.js") first += bytes;
    assert.doesNotMatch(code, /\bBuffer\.(?:from|alloc)|\bsetImmediate\(|\beval\(|new Function/, name);
  }
  assert.doesNotMatch(await bodyOf("lab.js"), /insertAdjacentHTML|document\.write/);
  assert.ok(packed <= 40_000, `${packed} bytes gzipped`);
  assert.ok(first <= 120_000, `the first screen: ${first} bytes gzipped`);
});

test("only what is named is served", async () => {
  assert.deepEqual([...assetNames].sort(), [
    "case-worker.js",
    "evidence-worker.js",
    "evidence.js",
    "favicon.svg",
    "lab-case-worker.js",
    "lab-device-worker.js",
    "lab-frame.js",
    "lab-later.js",
    "lab-rig-worker.js",
    "lab-screens.css",
    "lab-screens.js",
    "lab-seeds.js",
    "lab-static.js",
    "lab-terminal.js",
    "lab-worker.js",
    "lab.css",
    "lab.js",
    "more.css",
    "page.js",
    "people.js",
    "source-grammar.wasm",
    "source-runtime.wasm",
    "source-worker.js",
    "style.css",
  ]);
  for (const name of ["", "toString", "../package.json", "page.ts", "constructor"])
    assert.equal(assetOf(name), null, name);
});
