// DR11-6: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { crashOf } from "../../test/samples.ts";
import { dr11x6 } from "./dr11-6.ts";

test("DR11-6 fires", async () => {
  await assertFires(
    dr11x6,
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
    dr11x6,
    { l: "kernel: (a.dext) Assertion failed: function OSAction::Cancel, file uioserver.cpp" },
    /asserted in OSAction::Cancel/,
  );
});

test("DR11-6 is silent on a near miss", async () => {
  await assertSilent(dr11x6, {
    c: crashOf({
      type: "EXC_CRASH",
      frames: ["libsystem_c.dylib abort", "DriverKit IOTimerDispatchSource::Cancel", "Sample x"],
    }),
  });
});
