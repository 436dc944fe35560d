// What a session does when it is asked, not before: files of its run, and answers for screens.

import type { LabRun } from "./lab-run.ts";
import { differenceOf } from "./run-difference.ts";
import { findFailingSeed, tellSearch } from "./seed-search.ts";
import { writeSessionFile } from "./session-files.ts";
import { viewOf } from "./session-views.ts";
import type { ViewAnswer, ViewAsk } from "./views.ts";

export interface SessionLater {
  /** Throws RangeError where the session has no such file. */
  readonly write: typeof writeSessionFile;
  /** Never throws: what there is not is said. */
  view(run: LabRun | null, ask: ViewAsk): ViewAnswer;
  readonly differenceOf: typeof differenceOf;
  readonly findFailingSeed: typeof findFailingSeed;
  readonly tellSearch: typeof tellSearch;
}

export const sessionLater: SessionLater = {
  write: writeSessionFile,
  view: viewOf,
  differenceOf,
  findFailingSeed,
  tellSearch,
};
