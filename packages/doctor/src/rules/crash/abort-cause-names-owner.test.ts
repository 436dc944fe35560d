// DR11-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { crashOf } from "../../test/samples.ts";
import { abortCauseNamesOwner } from "./abort-cause-names-owner.ts";

test("DR11-2 fires: names the thread with port 0x120", async () => {
  await assertFires(
    abortCauseNamesOwner,
    {
      c: crashOf({
        type: "EXC_BREAKPOINT",
        frames: ["libdispatch.dylib a"],
        information: ["dispatch_sync called on queue already owned", "Abort Cause 9007207844675875"],
      }),
    },
    /names the thread with port 0x120/,
    "hint",
  );
});

test("DR11-2 fires: nobody", async () => {
  await assertFires(
    abortCauseNamesOwner,
    {
      c: crashOf({
        type: "EXC_BREAKPOINT",
        frames: ["libdispatch.dylib a"],
        information: ["dispatch_sync called on queue already owned", "Abort Cause 3"],
      }),
    },
    /names no owner/,
    "hint",
  );
});

test("DR11-2 is silent on a near miss", async () => {
  await assertSilent(abortCauseNamesOwner, {
    c: crashOf({ type: "EXC_BREAKPOINT", frames: ["libdispatch.dylib a"], information: ["abort() called"] }),
  });
});

test("DR11-2 is silent on a near miss: a semaphore's word", async () => {
  await assertSilent(abortCauseNamesOwner, {
    c: crashOf({
      type: "EXC_BREAKPOINT",
      frames: ["libdispatch.dylib _dispatch_semaphore_dispose"],
      information: [
        "BUG IN CLIENT OF LIBDISPATCH: Semaphore object deallocated while in use",
        "Abort Cause 1",
      ],
    }),
  });
});
