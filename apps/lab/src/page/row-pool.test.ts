// The scaled scroller: three million rows in thirty million pixels, every row reached, an arrow moves one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rowHeight, ScaledScroll } from "./row-pool.ts";

test("3,000,000 rows: the last is reached, the thumb stands right within 1 %, an arrow moves exactly one row", () => {
  const scroll = new ScaledScroll();
  scroll.count = 3_000_000;
  scroll.viewHeight = 700;
  assert.ok(scroll.height <= 33_554_428, "within what browsers can");
  scroll.scrolled(scroll.height - scroll.viewHeight);
  assert.equal(scroll.top + scroll.viewHeight, scroll.total, "the last row's end");
  for (const part of [0.1, 0.25, 0.5, 0.9]) {
    scroll.scrolled((scroll.height - scroll.viewHeight) * part);
    assert.ok(Math.abs(scroll.first / scroll.count - part) < 0.01, `${part}`);
  }
  scroll.moveTo(1_500_000 * rowHeight);
  for (let row = 1_500_000; row < 1_500_200; row++) {
    const before = scroll.first;
    scroll.reveal(row);
    // The browser hands our own place back, rounded to its pixels.
    scroll.scrolled(Math.round(scroll.scrollTop));
    assert.ok(scroll.first - before <= 1, `row ${row}`);
    assert.ok(row * rowHeight >= scroll.top && (row + 1) * rowHeight <= scroll.top + scroll.viewHeight);
  }
});

test("few rows: nothing is scaled, nothing scrolls out", () => {
  const scroll = new ScaledScroll();
  scroll.count = 10;
  scroll.viewHeight = 700;
  scroll.moveTo(500);
  assert.deepEqual([scroll.top, scroll.scale, scroll.height], [0, 1, 220]);
});
