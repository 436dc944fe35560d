// A file as a disk's store: sparse, kept, zeros where discarded, errors as results.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { StoreResult } from "@drydock/core/ports/block-store";
import { openFileStore } from "./file-store.ts";

const folder = mkdtempSync(join(tmpdir(), "drydock-store-"));
after(() => rmSync(folder, { recursive: true }));

test("a store of a terabyte takes what is written, and has it again when it is opened again", () => {
  const path = join(folder, "sparse");
  const store = openFileStore(path, 2 ** 40);
  const data = Uint8Array.from({ length: 1024 }, (_, index) => index & 0xff);
  assert.equal(store.write(2 ** 40 - 1024, data, 0, 1024), StoreResult.ok);
  assert.equal(store.flush(), StoreResult.ok);
  store.close();
  assert.ok(statSync(path).blocks * 512 < 2 ** 20, "the file is sparse");
  const again = openFileStore(path, 2 ** 40);
  const back = new Uint8Array(1536);
  assert.equal(again.read(2 ** 40 - 1024, back, 512, 1024), StoreResult.ok);
  assert.deepEqual(back.subarray(512), data);
  assert.equal(again.mappedRun(0, 4096), 4096);
  again.close();
});

test("a discarded range reads as zeros, its neighbours stay", () => {
  const path = join(folder, "discard");
  const store = openFileStore(path, 4 << 20);
  const ones = new Uint8Array(4 << 20).fill(1);
  assert.equal(store.write(0, ones, 0, ones.length), StoreResult.ok);
  assert.equal(store.discard(512, (2 << 20) + 512), StoreResult.ok);
  store.close();
  const bytes = readFileSync(path);
  assert.ok(bytes.subarray(0, 512).every((byte) => byte === 1));
  assert.ok(bytes.subarray(512, (2 << 20) + 1024).every((byte) => byte === 0));
  assert.ok(bytes.subarray((2 << 20) + 1024).every((byte) => byte === 1));
});

test("a file that is too short is refused with what to do; one that is cut later fails reads", () => {
  const path = join(folder, "short");
  writeFileSync(path, new Uint8Array(1000));
  assert.throws(() => openFileStore(path, 1024), /has 1000 bytes, the disk 1024; give --size 512/);
  assert.throws(() => openFileStore(path, 700), /multiple of 512/);
  const store = openFileStore(path, 512);
  truncateSync(path, 100);
  assert.equal(store.read(0, new Uint8Array(512), 0, 512), StoreResult.failed);
  store.close();
});
