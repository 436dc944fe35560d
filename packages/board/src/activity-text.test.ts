// How long ago, and dates without a Date, against Node's own calendar.

import assert from "node:assert/strict";
import { test } from "node:test";
import { activityText, dayOf, isoTime, timeOfIso } from "./activity-text.ts";

const hour = 3_600_000;
const day = 24 * hour;

test("activity as the page of origin wrote it: hours, days, weeks to four, then month and year", () => {
  const now = Date.UTC(2025, 10, 1, 12);
  const said = (age: number) => activityText(now - age, now);
  assert.equal(said(0), "now");
  assert.equal(said(59_999), "now");
  assert.equal(said(60_000), "1m");
  assert.equal(said(hour), "1h");
  assert.equal(said(day), "1d");
  assert.equal(said(6 * day + 23 * hour), "6d");
  assert.equal(said(21 * day), "3w");
  assert.equal(said(34 * day), "4w");
  assert.equal(said(35 * day), "Sep ’25");
  assert.equal(activityText(Date.UTC(2025, 6, 2), now), "Jul ’25");
  assert.equal(said(-day), "now", "a clock that was set back");
});

test("dates agree with Node's calendar, over 400 years and at the edges of months", () => {
  for (let index = 0; index < 5000; index++) {
    const at = (index * 2_521_987_321 + 17) % Date.UTC(2370, 0, 1);
    assert.equal(isoTime(at), new Date(at).toISOString());
    assert.equal(timeOfIso(isoTime(at)), at);
  }
  for (const text of ["2024-02-29T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "1970-01-01T00:00:00.000Z"])
    assert.equal(timeOfIso(text), Date.parse(text));
  for (const text of [
    "2025-02-29T00:00:00Z",
    "2025-13-01T00:00:00Z",
    "2025-01-01T24:00:00Z",
    "2025-1-1",
    "",
    "x",
  ])
    assert.equal(timeOfIso(text), null, text);
  assert.equal(dayOf(Date.UTC(2026, 0, 2, 0, 0, 0) - 1), dayOf(Date.UTC(2026, 0, 1)));
});
