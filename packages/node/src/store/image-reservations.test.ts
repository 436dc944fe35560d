// Reservations beside an image: there again for the next server; damaged, foreign or newer ones believed by nobody.

import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { KeptReservations } from "@drydock/core/devices/scsi-disk/kept-reservations";
import { openDiskImage } from "./disk-image.ts";

const folder = mkdtempSync(join(tmpdir(), "drydock-kept-"));
after(() => rmSync(folder, { recursive: true }));

const state: KeptReservations = {
  generation: 3,
  registrations: [
    { transportId: "45000014", key: "0000000000000abc" },
    { transportId: "", key: "00000000deadbeef" },
  ],
  held: { type: 5, holder: 0 },
};

function open(path: string, isReadOnly = false) {
  return openDiskImage(path, {
    blockBytes: 512,
    lengthBytes: null,
    newBytes: 65536,
    isReadOnly,
    onTrouble: () => {},
  });
}

async function keep(path: string, kept: KeptReservations | null): Promise<boolean> {
  const { reservations, store } = open(path);
  const isKept = await new Promise<boolean>((resolve) => reservations.keep(kept, resolve));
  store.close();
  return isKept;
}

test("what was kept is there for the next server, for one that only reads too; nothing is left of a replacement", async () => {
  const path = join(folder, "kept");
  assert.equal(await keep(path, state), true);
  assert.deepEqual(readdirSync(folder).sort(), ["kept", "kept.reservations"]);
  for (const isReadOnly of [false, true]) {
    const { notes, reservations, store } = open(path, isReadOnly);
    assert.deepEqual(reservations.kept, state);
    assert.equal(reservations.canKeep, !isReadOnly);
    assert.deepEqual(notes, []);
    store.close();
  }
  assert.equal(await keep(path, null), true);
  const { reservations, store } = open(path);
  assert.equal(reservations.kept, null);
  store.close();
});

test("damaged, foreign, newer or impossible: named, not believed, not overwritten, nothing kept", async () => {
  const path = join(folder, "image");
  assert.equal(await keep(path, state), true);
  const good = readFileSync(`${path}.reservations`, "utf8");
  const other = join(folder, "other");
  open(other).store.close();
  const cases: readonly [at: string, text: string, words: RegExp][] = [
    [path, good.slice(0, good.length / 2), /is damaged \(it is no JSON\)/],
    [path, good.replace("deadbeef", "deadbeee"), /is damaged \(its check sum is wrong\)/],
    [path, good.replace('"version":1', '"version":2'), /is newer \(it is of version 2\)/],
    [path, "{}", /is damaged \(it does not say what it is\)/],
    [path, '{"format":"notes","version":1}', /is foreign/],
    [other, good, /is foreign \(it belongs to another file\)/],
  ];
  for (const [at, text, words] of cases) {
    writeFileSync(`${at}.reservations`, text);
    const { notes, reservations, store } = open(at);
    assert.match(notes.join(), words);
    assert.match(notes.join(), /stays as it is/);
    assert.equal(reservations.kept, null);
    assert.equal(reservations.canKeep, false);
    store.close();
    // Even one that comes while a server runs is not written over.
    assert.equal(await keep(at, state), false);
    assert.equal(readFileSync(`${at}.reservations`, "utf8"), text);
  }
});

test("an image that was copied, or made anew under the same name, has not got them", async () => {
  const path = join(folder, "first");
  assert.equal(await keep(path, state), true);
  const copy = join(folder, "copy");
  copyFileSync(path, copy);
  copyFileSync(`${path}.reservations`, `${copy}.reservations`);
  const copied = open(copy);
  assert.match(copied.notes.join(), /belongs to another file/);
  copied.store.close();
  rmSync(path);
  const anew = open(path);
  assert.match(anew.notes.join(), /belongs to another file/);
  assert.equal(anew.reservations.kept, null);
  anew.store.close();
});
