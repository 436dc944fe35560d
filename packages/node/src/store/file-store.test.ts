// A file as a disk's store: kept, holes where discarded, errors as results, flushes on a worker and never forgotten.

import assert from "node:assert/strict";
import {
  closeSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { StoreResult } from "@drydock/core/ports/block-store";
import { type DiskImageOptions, openDiskImage } from "./disk-image.ts";
import { fileHoles } from "./file-holes.ts";
import { FileStore } from "./file-store.ts";

const folder = mkdtempSync(join(tmpdir(), "drydock-store-"));
after(() => rmSync(folder, { recursive: true }));
const isLinux = process.platform === "linux";

const troubles: string[] = [];
const plain: DiskImageOptions = {
  blockBytes: 512,
  lengthBytes: null,
  newBytes: 1 << 20,
  isReadOnly: false,
  onTrouble: (text) => troubles.push(text),
};

function openStore(path: string, options: Partial<DiskImageOptions> = {}): FileStore {
  return openDiskImage(path, { ...plain, ...options }).store;
}

function flush(store: FileStore): Promise<StoreResult> {
  return new Promise((resolve) => {
    const result = store.flush(resolve);
    if (result !== StoreResult.later) resolve(result);
  });
}

test("a store of a terabyte takes what is written, and has it again when it is opened again", async () => {
  const path = join(folder, "sparse");
  const store = openStore(path, { newBytes: 2 ** 40 });
  const data = Uint8Array.from({ length: 1024 }, (_, index) => index & 0xff);
  assert.equal(store.write(2 ** 40 - 1024, data, 0, 1024), StoreResult.ok);
  assert.equal(await flush(store), StoreResult.ok);
  assert.equal(store.close(), true);
  assert.ok(statSync(path).blocks * 512 < 2 ** 20, "the file is sparse");
  const again = openStore(path);
  assert.equal(again.lengthBytes, 2 ** 40);
  const back = new Uint8Array(1536);
  assert.equal(again.read(2 ** 40 - 1024, back, 512, 1024), StoreResult.ok);
  assert.deepEqual(back.subarray(512), data);
  again.close();
});

test("a discarded range reads as zeros, its neighbours stay; where holes can be made it is one, and is shown", () => {
  for (const platform of ["linux", "darwin", "win32"] as const) {
    const path = join(folder, `discard-${platform}`);
    const store = openStore(path, { newBytes: 4 << 20, platform });
    const ones = new Uint8Array(4 << 20).fill(1);
    assert.equal(store.write(0, ones, 0, ones.length), StoreResult.ok);
    const held = statSync(path).blocks;
    assert.equal(store.discard(512, (2 << 20) + 512), StoreResult.ok);
    const canPunch = isLinux && platform === "linux";
    assert.equal(store.canDiscard, canPunch);
    if (canPunch) {
      assert.ok(statSync(path).blocks < held - 4000, "the room is given back");
      assert.equal(store.mappedRun(0, 4 << 20), 4096);
      assert.equal(store.mappedRun(4096, 4 << 20), -(2 << 20) + 4096);
      assert.equal(store.mappedRun(2 << 20, 1 << 20), 1 << 20);
    } else assert.equal(store.mappedRun(0, 4 << 20), 4 << 20);
    store.close();
    const bytes = readFileSync(path);
    assert.ok(bytes.subarray(0, 512).every((byte) => byte === 1));
    assert.ok(bytes.subarray(512, (2 << 20) + 1024).every((byte) => byte === 0));
    assert.ok(bytes.subarray((2 << 20) + 1024).every((byte) => byte === 1));
  }
});

test("an image that is there says how large it is; anything else is refused with what to do", () => {
  const path = join(folder, "sized");
  writeFileSync(path, new Uint8Array(4096));
  const store = openStore(path);
  assert.equal(store.lengthBytes, 4096);
  store.close();
  assert.throws(() => openStore(path, { lengthBytes: 8192 }), /has 4096 bytes, fewer than --size 8192/);
  assert.throws(() => openStore(path, { lengthBytes: 1024 }), /more than --size 1024; .*--part/);
  const part = openDiskImage(path, { ...plain, lengthBytes: 1024, isPart: true });
  assert.match(part.notes.join(), /1024 of its 4096 bytes are shown/);
  part.store.close();
  writeFileSync(path, new Uint8Array(1000));
  assert.throws(() => openStore(path), /has 1000 bytes, no multiple of the 512 .*--size 512 --part/);
  writeFileSync(path, "");
  assert.throws(() => openStore(path), /has 0 bytes/);
  assert.throws(() => openStore(folder), /folder/);
  assert.throws(() => openStore(join(folder, "no", "such")), /its folder is not there/);
  symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
  assert.throws(() => openStore(join(folder, "dangling")), /leads nowhere/);
});

test("a file that cannot be made as large as that is not left behind", { skip: !isLinux }, () => {
  const path = join(folder, "huge");
  assert.throws(() => openStore(path, { newBytes: 2 ** 52 }), /cannot be made .* long/);
  assert.throws(() => statSync(path), /ENOENT/);
});

test("read only: no file is made, nothing is asked for that a reader may not have, holes are shown", () => {
  const path = join(folder, "evidence");
  assert.throws(() => openStore(path, { isReadOnly: true }), /is not there/);
  assert.throws(() => statSync(path), /ENOENT/);
  writeFileSync(path, "");
  truncateSync(path, 1 << 20);
  const first = openStore(path, { isReadOnly: true });
  // Readers share it.
  const second = openStore(path, { isReadOnly: true });
  if (isLinux) assert.equal(first.mappedRun(0, 1 << 20), -(1 << 20));
  assert.equal(first.write(0, new Uint8Array(512), 0, 512), StoreResult.failed);
  first.close();
  second.close();
});

test("two servers: the second is told who has the image, whatever name it uses and whatever the system", () => {
  for (const platform of ["linux", "darwin", "win32"] as const) {
    const path = join(folder, `guarded-${platform}`);
    const store = openStore(path, { platform });
    symlinkSync(path, `${path}-link`);
    assert.throws(() => openStore(path, { platform }), /in use by this command itself.*--unguarded/);
    assert.throws(() => openStore(`${path}-link`, { platform }), /in use by/);
    linkSync(path, `${path}-hard`);
    if (platform === "linux") {
      assert.throws(() => openStore(`${path}-hard`, { platform }), /in use by/);
      assert.throws(() => openStore(path, { platform, isReadOnly: true }), /in use by/);
    }
    const forced = openDiskImage(path, { ...plain, platform, isUnguarded: true });
    assert.match(forced.notes.join(), /not guarded, as was asked for/);
    forced.store.close();
    store.close();
    const next = openDiskImage(path, { ...plain, platform });
    if (platform !== "linux") assert.match(next.notes.join(), /guarded by the file .*\.lock only/);
    next.store.close();
  }
});

test("a lock file of a server that is gone is taken away, one of somebody else is not", () => {
  const path = join(folder, "stale");
  openStore(path).close();
  writeFileSync(`${path}.lock`, "4194305\n");
  openStore(path, { platform: "win32" }).close();
  assert.throws(() => statSync(`${path}.lock`), /ENOENT/);
  writeFileSync(`${path}.lock`, "what my editor keeps\n");
  assert.throws(() => openStore(path, { platform: "win32" }), /which is not ours/);
  assert.equal(readFileSync(`${path}.lock`, "utf8"), "what my editor keeps\n");
});

test("a flush that the host failed stays failed, and says errno and where what may be lost lies", async () => {
  troubles.length = 0;
  const path = join(folder, "lost");
  writeFileSync(path, new Uint8Array(65536));
  let descriptor = openSync(path, "r+");
  const store = new FileStore({
    descriptor,
    lengthBytes: 65536,
    holes: fileHoles(descriptor, 65536, { isReadOnly: false }),
    isReadOnly: false,
    name: "image",
    onTrouble: (text) => troubles.push(text),
  });
  assert.equal(store.write(4096, new Uint8Array(1024), 0, 1024), StoreResult.ok);
  assert.equal(await flush(store), StoreResult.ok);
  assert.equal(store.write(8192, new Uint8Array(512), 0, 512), StoreResult.ok);
  assert.equal(store.write(512, new Uint8Array(512), 0, 512), StoreResult.ok);
  // The host takes the file away.
  closeSync(descriptor);
  assert.equal(await flush(store), StoreResult.failed);
  descriptor = openSync(path, "r+");
  assert.equal(await flush(store), StoreResult.failed, "the host would say yes now");
  assert.equal(store.hasFailed, true);
  assert.equal(troubles.length, 1);
  assert.match(
    troubles[0],
    /^image: the host failed a flush \(EBADF\): what was written to bytes 512 to 1023 .* 1 more ranges: 1024 bytes/,
  );
  assert.equal(store.close(), false);
});

test("flushes that come while one runs share the next one; each is told once, never inside its call", async () => {
  const store = openStore(join(folder, "shared"));
  const told: number[] = [];
  for (let index = 0; index < 5; index++) {
    store.write(index * 512, new Uint8Array(512), 0, 512);
    assert.equal(
      store.flush(() => told.push(index)),
      StoreResult.later,
    );
    assert.deepEqual(told, []);
  }
  assert.equal(await flush(store), StoreResult.ok);
  assert.deepEqual(told, [0, 1, 2, 3, 4]);
  store.close();
});

test("a file that is cut later fails reads, and says so once", () => {
  troubles.length = 0;
  const path = join(folder, "cut");
  const store = openStore(path);
  truncateSync(path, 100);
  assert.equal(store.read(0, new Uint8Array(512), 0, 512), StoreResult.failed);
  assert.equal(store.read(512, new Uint8Array(512), 0, 512), StoreResult.failed);
  assert.equal(troubles.length, 1);
  assert.match(troubles[0], /read at byte 100 .*somebody has cut it/);
  store.close();
});
