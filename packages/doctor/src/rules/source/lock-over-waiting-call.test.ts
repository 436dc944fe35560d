// FX-LOCK-WAIT: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { lockOverWaitingCall } from "./lock-over-waiting-call.ts";

test("FX-LOCK-WAIT fires: WakeAtTime is called while the lock ivars->lock is held", async () => {
  await assertFires(
    lockOverWaitingCall,
    {
      driver: `void SessionDriver::ScheduleAt(uint64_t time)
{
    IOLockLock(ivars->lock);
    ivars->next = time;
    ivars->timer->WakeAtTime(kIOTimerClockMonotonicRaw, time, 0);
    IOLockUnlock(ivars->lock);
}
`,
    },
    /WakeAtTime is called while the lock ivars->lock is held/,
  );
});

test("FX-LOCK-WAIT is silent on the corrected source", async () => {
  await assertSilent(lockOverWaitingCall, {
    driver: `void SessionDriver::ScheduleAt(uint64_t time)
{
    IOLockLock(ivars->lock);
    ivars->next = time;
    IOLockUnlock(ivars->lock);
    ivars->timer->WakeAtTime(kIOTimerClockMonotonicRaw, time, 0);
}
`,
  });
});
