// DR11-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { crashOf } from "../../test/samples.ts";
import { dr11x1 } from "./dr11-1.ts";

test("DR11-1 fires", async () => {
  await assertFires(
    dr11x1,
    {
      c: crashOf({
        type: "EXC_BREAKPOINT",
        information: [
          "BUG IN CLIENT OF LIBDISPATCH: dispatch_sync called on queue already owned by current thread",
          "Abort Cause 5123",
        ],
        frames: [
          "libdispatch.dylib __DISPATCH_WAIT_FOR_QUEUE__",
          "libdispatch.dylib _dispatch_sync_f_slow",
          "DriverKit IODispatchQueue::DispatchSync_f(void*)",
          "DriverKit IOInterruptDispatchSourceThread",
          "libsystem_pthread.dylib _pthread_start",
        ],
      }),
    },
    /no driver frame.*owner port 0x1400/,
  );
});

test("DR11-1 fires (2)", async () => {
  await assertFires(
    dr11x1,
    {
      c: crashOf({
        type: "EXC_BREAKPOINT",
        information: [
          "BUG IN CLIENT OF LIBDISPATCH: dispatch_sync called on queue already owned by current thread",
        ],
        frames: [
          "DriverKit IODispatchQueue::DispatchSync_f(void*)",
          "Sample SampleDriver::Handler()",
          "DriverKit IODispatchQueue::DispatchSync_f(void*)",
        ],
      }),
    },
    /SampleDriver::Handler\(\) waits/,
  );
});

test("DR11-1 is silent on a near miss", async () => {
  await assertSilent(dr11x1, {
    c: crashOf({
      type: "EXC_BREAKPOINT",
      information: ["BUG IN CLIENT OF LIBDISPATCH: Release of an inactive object"],
      frames: ["libdispatch.dylib _dispatch_queue_xref_dispose"],
    }),
  });
});
