// FX-STOP-TARGET: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { stopWaitsForTarget } from "./stop-waits-for-target.ts";

test("FX-STOP-TARGET fires: HbaDriver::Stop waits for UserDestroyTargetForID", async () => {
  await assertFires(
    stopWaitsForTarget,
    {
      driver: `kern_return_t IMPL(HbaDriver, Stop)
{
    ivars->lifecycleQueue->DispatchSync(^{
        UserDestroyTargetForID(0);
    });
    return Stop(provider, SUPERDISPATCH);
}
`,
    },
    /HbaDriver::Stop waits for UserDestroyTargetForID/,
  );
});

test("FX-STOP-TARGET is silent on the corrected source", async () => {
  await assertSilent(stopWaitsForTarget, {
    driver: `kern_return_t IMPL(HbaDriver, Stop)
{
    ivars->isStopping = true;
    return Stop(provider, SUPERDISPATCH);
}
`,
  });
});
