// DR15-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { powerWaits } from "./power-waits.ts";

test("DR15-3 fires: DiskDriver::SetPowerState waits in IOSleep", async () => {
  await assertFires(
    powerWaits,
    {
      driver: `kern_return_t IMPL(DiskDriver, SetPowerState)
{
    while (!ivars->isSpinning) IOSleep(100);
    return SetPowerState(powerFlags, SUPERDISPATCH);
}
`,
    },
    /DiskDriver::SetPowerState waits in IOSleep/,
  );
});

test("DR15-3 is silent on the corrected source", async () => {
  await assertSilent(powerWaits, {
    driver: `kern_return_t IMPL(DiskDriver, SetPowerState)
{
    ivars->holdsRequests = true;
    ivars->queue->DispatchAsync(^{ while (!ivars->isSpinning) IOSleep(100); });
    return SetPowerState(powerFlags, SUPERDISPATCH);
}
`,
  });
});
