// DR11-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { crashOf } from "../../test/samples.ts";
import { syncOnOwnedQueue } from "./sync-on-owned-queue.ts";

test("DR11-1 fires: no driver frame ... owner port 0x1400", async () => {
  await assertFires(
    syncOnOwnedQueue,
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

test("DR11-1 fires: SampleDriver::Handler() waits", async () => {
  await assertFires(
    syncOnOwnedQueue,
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
  await assertSilent(syncOnOwnedQueue, {
    c: crashOf({
      type: "EXC_BREAKPOINT",
      information: ["BUG IN CLIENT OF LIBDISPATCH: Release of an inactive object"],
      frames: ["libdispatch.dylib _dispatch_queue_xref_dispose"],
    }),
  });
});
