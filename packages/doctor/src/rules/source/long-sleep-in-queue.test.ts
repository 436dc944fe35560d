// FX-LONG-SLEEP: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { longSleepInQueue } from "./long-sleep-in-queue.ts";

test("FX-LONG-SLEEP fires: IOSleep(3000) holds ivars->workQueue", async () => {
  await assertFires(
    longSleepInQueue,
    {
      driver: `void BusDriver::WakeUp()
{
    ivars->workQueue->DispatchAsync(^{
        IOSleep(3000);
        CheckWake();
    });
}
`,
    },
    /IOSleep\(3000\) holds ivars->workQueue/,
  );
});

test("FX-LONG-SLEEP is silent on the corrected source", async () => {
  await assertSilent(longSleepInQueue, {
    driver: `void BusDriver::WakeUp()
{
    ivars->timer->WakeAtTime(kIOTimerClockMonotonicRaw, ivars->wakeTime, 0);
}
`,
  });
});
