// Limits as talks: so many in a window of time, one in a gap. Also inside the act that they hold up.

import type { ActLimit } from "@drydock/board/board-store";
import { LimitReached } from "@drydock/board/refusal";
import { get, run, type Talk } from "./sql-talk.ts";

export const minuteMs = 60_000;
/** Where gaps stand: no window of time has this number. */
export const gapsPlace = Number.MAX_SAFE_INTEGER;

export const windowEnd = (windowMs: number, now: number): number =>
  (Math.floor(now / windowMs) + 1) * windowMs;

/**
 * Takes one: 0, or the milliseconds until the next window. Limits stand under the minute in which their window ends, so
 * a sweep of past minutes takes no living one.
 */
export function* takeOne(limit: { name: string; most: number; windowMs: number; now: number }): Talk<number> {
  const ends = windowEnd(limit.windowMs, limit.now);
  const place = Math.ceil(ends / minuteMs);
  const row = yield* get('SELECT used FROM rate WHERE "window" = ? AND name = ?', place, limit.name);
  if (Number(row?.used ?? 0) >= limit.most) return ends - limit.now;
  yield* run(
    'INSERT INTO rate ("window", name, used) VALUES (?, ?, 1) ON CONFLICT ("window", name) DO UPDATE SET used = rate.used + 1',
    place,
    limit.name,
  );
  return 0;
}

/** Lets one through: 0, or the milliseconds that are left of the gap. */
export function* keepSpace({ name, gapMs, now }: { name: string; gapMs: number; now: number }): Talk<number> {
  const row = yield* get('SELECT used FROM rate WHERE "window" = ? AND name = ?', gapsPlace, name);
  const free = row === undefined ? now : Number(row.used) + gapMs;
  // A clock that was set back makes nobody wait longer than the gap.
  if (free > now && free - now <= gapMs) return free - now;
  yield* run(
    'INSERT INTO rate ("window", name, used) VALUES (?, ?, ?) ON CONFLICT ("window", name) DO UPDATE SET used = excluded.used',
    gapsPlace,
    name,
    now,
  );
  return 0;
}

/** All of them or none: what throws takes its transaction back. Throws LimitReached. */
export function* withinLimits(limits: readonly ActLimit[] | undefined, now: number): Talk<void> {
  for (const limit of limits ?? []) {
    const wait = yield* "gapMs" in limit ? keepSpace({ ...limit, now }) : takeOne({ ...limit, now });
    if (wait > 0) throw new LimitReached(limit, wait);
  }
}
