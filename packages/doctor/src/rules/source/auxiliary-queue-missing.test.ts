// FX-SCSI-QUEUE: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { auxiliaryQueueMissing } from "./auxiliary-queue-missing.ts";

test("FX-SCSI-QUEUE fires: no queue named AuxiliaryQueue is installed", async () => {
  await assertFires(
    auxiliaryQueueMissing,
    {
      driver: `kern_return_t IMPL(HbaDriver, UserStartController)
{
    return UserCreateTargetForID(3, ivars->properties);
}
`,
    },
    /no queue named AuxiliaryQueue is installed/,
  );
});

test("FX-SCSI-QUEUE is silent on the corrected source", async () => {
  await assertSilent(auxiliaryQueueMissing, {
    driver: `kern_return_t IMPL(HbaDriver, Start)
{
    kern_return_t ret = IODispatchQueue::Create("AuxiliaryQueue", 0, 0, &ivars->auxiliary);
    if (ret == kIOReturnSuccess) ret = SetDispatchQueue("AuxiliaryQueue", ivars->auxiliary);
    return ret == kIOReturnSuccess ? Start(provider, SUPERDISPATCH) : ret;
}

kern_return_t IMPL(HbaDriver, UserStartController)
{
    ivars->own->DispatchAsync(^{ UserCreateTargetForID(3, ivars->properties); });
    return kIOReturnSuccess;
}
`,
  });
});
