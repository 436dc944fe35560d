// FX-PLAIN-ACTION: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plainActionDropsCallbacks } from "./plain-action-drops-callbacks.ts";

test("FX-PLAIN-ACTION fires: its callbacks are dropped silently", async () => {
  await assertFires(
    plainActionDropsCallbacks,
    {
      driver: `kern_return_t MyDriver::MakeTimer()
{
    kern_return_t ret = OSAction::Create(this, MyDriver_Tick_ID, IOTimerDispatchSource_TimerOccurred_ID, 0, &ivars->action);
    return ret == kIOReturnSuccess ? ivars->timer->SetHandler(ivars->action) : ret;
}
`,
    },
    /its callbacks are dropped silently/,
  );
});

test("FX-PLAIN-ACTION is silent on the corrected source", async () => {
  await assertSilent(plainActionDropsCallbacks, {
    driver: `kern_return_t MyDriver::MakeTimer()
{
    kern_return_t ret = CreateActionTick(0, &ivars->action);
    return ret == kIOReturnSuccess ? ivars->timer->SetHandler(ivars->action) : ret;
}
`,
  });
});
