// The name of a rig, as commands take it.

import { type RigEntry, rigEntry, rigNames } from "../actions/rig-list.ts";
import type { Kind } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** A rig that has serial ports; of another one it is said which command brings it up. */
export const rigName: Kind<RigEntry> = {
  placeholder: "rig",
  takes: `one of ${rigNames.join(", ")}`,
  read: (word) => {
    const found = rigEntry(word);
    if (typeof found === "string") throw new UsageError(found);
    return found;
  },
  words: () => rigNames,
  sample: () => rigNames[0],
  mistakes: () => [
    { why: "wrong type", text: "no-such-rig" },
    { why: "wrong type", text: "" },
    { why: "wrong type", text: "storage" },
  ],
};
