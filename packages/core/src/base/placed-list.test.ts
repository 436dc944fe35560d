// A list whose members know their places: what leaves, what stays, and who was never in it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PlacedList } from "./placed-list.ts";
import { Random } from "./random.ts";

test("it holds what a set would hold, whatever order things leave in", () => {
  const random = new Random(7);
  const list = new PlacedList<{ place: number }>();
  const set = new Set<{ place: number }>();
  const all = Array.from({ length: 50 }, () => ({ place: -1 }));
  for (let step = 0; step < 5000; step++) {
    const item = all[random.below(all.length)];
    if (set.has(item)) assert.equal(list.delete(item), set.delete(item));
    else if (random.chance(0.3)) assert.equal(list.delete(item), false, "never in it, or gone already");
    else {
      list.add(item);
      set.add(item);
    }
    assert.equal(list.has(item), set.has(item));
    assert.equal(list.items.length, set.size);
  }
  assert.deepEqual(new Set(list.items), set);
  list.clear();
  for (const item of all) assert.equal(list.has(item), false);
});

test("another list's member is not taken out of this one", () => {
  const [here, there] = [new PlacedList<{ place: number }>(), new PlacedList<{ place: number }>()];
  const [mine, theirs] = [{ place: -1 }, { place: -1 }];
  here.add(mine);
  there.add(theirs);
  assert.equal(here.delete(theirs), false);
  assert.deepEqual(here.items, [mine]);
});
