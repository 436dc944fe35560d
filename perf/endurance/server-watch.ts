// Read by a server before its program (node --import): its collector's pauses, and what keeps it alive, on SIGUSR2.

import { writeFileSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";

/** What a server says of itself. */
export interface ServerWatch {
  /** Pauses of the collector so far, in milliseconds, longest first; at most the longest 10,000. */
  readonly pausesMs: readonly number[];
  readonly pauses: number;
  /** Handles and requests by kind, as process.getActiveResourcesInfo names them. */
  readonly resources: Readonly<Record<string, number>>;
}

const mostKept = 10_000;
let pausesMs: number[] = [];
let pauses = 0;

const longest = (): number[] => pausesMs.sort((left, right) => right - left).slice(0, mostKept);

const file = process.env.DRYDOCK_WATCH_FILE;
if (file !== undefined) {
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      pauses++;
      pausesMs.push(duration);
    }
    if (pausesMs.length > 2 * mostKept) pausesMs = longest();
  }).observe({ entryTypes: ["gc"] });
  process.on("SIGUSR2", () => {
    const resources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
    const watch: ServerWatch = { pausesMs: longest(), pauses, resources };
    writeFileSync(file, JSON.stringify(watch));
  });
}
