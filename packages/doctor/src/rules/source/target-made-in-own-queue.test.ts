// DR19-7: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { targetMadeInOwnQueue } from "./target-made-in-own-queue.ts";

test("DR19-7 fires: holds the default queue", async () => {
  await assertFires(
    targetMadeInOwnQueue,
    {
      driver: `kern_return_t IMPL(HbaDriver, UserStartController)
{
    kern_return_t ret = EnableEngine();
    if (ret == kIOReturnSuccess) ret = UserCreateTargetForID(0, ivars->targetProperties);
    return ret;
}
`,
    },
    /holds the default queue/,
  );
});

test("DR19-7 is silent on the corrected source", async () => {
  await assertSilent(targetMadeInOwnQueue, {
    driver: `kern_return_t IMPL(HbaDriver, Start)
{
    kern_return_t ret = IODispatchQueue::Create("AuxiliaryQueue", 0, 0, &ivars->auxiliary);
    if (ret == kIOReturnSuccess) ret = SetDispatchQueue("AuxiliaryQueue", ivars->auxiliary);
    return ret == kIOReturnSuccess ? Start(provider, SUPERDISPATCH) : ret;
}

kern_return_t IMPL(HbaDriver, UserStartController)
{
    kern_return_t ret = EnableEngine();
    if (ret != kIOReturnSuccess) return ret;
    ivars->targets->DispatchAsync(^{ UserCreateTargetForID(0, ivars->targetProperties); });
    return kIOReturnSuccess;
}
`,
  });
});
