// The last thing that happens to a report: nothing in it that evidence says commands a terminal, a page or a CI runner.

import { shown } from "@drydock/core/base/shown-text";

/** One value of a report: a claim with everything that it quotes. */
const longestValue = 20_000;

/** A copy of the same shape; every string stays on its line and shows what would command as such. */
export function shownReport<T>(report: T): T {
  const visit = (value: unknown): unknown => {
    if (typeof value === "string") return shown(value, longestValue);
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [shown(key, longestValue), visit(item)]),
    );
  };
  return visit(report) as T;
}
