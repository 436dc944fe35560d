// Cards that are put in later, taken out and changed, on both transports and through a dext's class driver.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { platformProfile } from "../platform/platform-profile.ts";
import { StorageRig, type StorageRigOptions } from "./storage-rig.ts";

const second = 1e9;
const reader = { blockCount: 8192, isRemovable: true, isEmpty: true };

function rigWith(options: Partial<StorageRigOptions> = {}): StorageRig {
  return new StorageRig({
    seed: 1,
    turn: hostTurn,
    profile: platformProfile("macos15"),
    units: [reader],
    ...options,
  });
}

/** How many media there are after each second. */
async function media(rig: StorageRig, seconds: number): Promise<number> {
  await rig.run(rig.machine.scheduler.nowNs() + seconds * second);
  return rig.media.length;
}

// SPC-4 §5.14, SBC-3 §4.10; card readers in kernels' bug trackers: "medium is never detected after boot".
for (const policy of ["bulk-only", "by-speed"] as const) {
  test(`${policy}: none before, one after insertion, none after removal, one again`, async () => {
    const rig = rigWith({ policy });
    assert.equal(await media(rig, 5), 0);
    rig.disk.insertMedium();
    assert.equal(await media(rig, 3), 1);
    const first = rig.media[0];
    rig.disk.removeMedium();
    assert.equal(await media(rig, 3), 0);
    assert.equal(first.isGone, true);
    rig.disk.insertMedium();
    assert.equal(await media(rig, 3), 1);
    assert.notEqual(rig.media[0], first);
    assert.equal(rig.machine.failure, null);
  });
}

// A card that is exchanged between two looks is another card, although it is as large (unit attention 28h/00h).
test("a card that was changed between two looks is another medium", async () => {
  const rig = rigWith();
  rig.disk.insertMedium();
  assert.equal(await media(rig, 3), 1);
  const first = rig.media[0];
  rig.disk.removeMedium();
  rig.disk.insertMedium();
  assert.equal(await media(rig, 3), 1);
  assert.notEqual(rig.media[0], first);
  assert.equal(first.isGone, true);
});

test("a reader with two slots: each card is its own", async () => {
  const rig = rigWith({ units: [reader, { ...reader, blockCount: 4096 }] });
  assert.equal(await media(rig, 5), 0);
  rig.disk.insertMedium(1);
  assert.equal(await media(rig, 3), 1);
  assert.equal(rig.media[0].geometry.blockCount, 4096);
  rig.disk.insertMedium(0);
  assert.equal(await media(rig, 3), 2);
});

test("a unit that is not removable is not asked", async () => {
  const rig = rigWith({ units: [{ blockCount: 8192 }] });
  const outcome = await rig.run();
  assert.equal(outcome.reason, "idle");
});
