// DR11-6: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { crashOf } from "../../test/samples.ts";
import { actionCancelledTwice } from "./action-cancelled-twice.ts";

test("DR11-6 fires: OSAction::Cancel asserted", async () => {
  await assertFires(
    actionCancelledTwice,
    {
      c: crashOf({
        type: "EXC_CRASH",
        frames: [
          "libsystem_c.dylib abort",
          "DriverKit OSAction::Cancel(void () block_pointer)",
          "Sample Sample::Stop_Impl",
        ],
        information: ["Assertion failed: (queue), function Cancel, file uioserver.cpp, line 1234."],
      }),
    },
    /OSAction::Cancel asserted/,
  );
});

test("DR11-6 fires: a line of the log", async () => {
  await assertFires(
    actionCancelledTwice,
    { l: "kernel: (a.dext) Assertion failed: function OSAction::Cancel, file uioserver.cpp" },
    /asserted in OSAction::Cancel/,
  );
});

test("DR11-6 is silent on a near miss", async () => {
  await assertSilent(actionCancelledTwice, {
    c: crashOf({
      type: "EXC_CRASH",
      frames: ["libsystem_c.dylib abort", "DriverKit IOTimerDispatchSource::Cancel", "Sample x"],
    }),
  });
});
