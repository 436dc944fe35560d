// DR15-2: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { powerWithoutSuper } from "./power-without-super.ts";

test("DR15-2 fires: DiskDriver::SetPowerState has a way out without the call to super", async () => {
  await assertFires(
    powerWithoutSuper,
    {
      driver: `kern_return_t IMPL(DiskDriver, SetPowerState)
{
    if (powerFlags == kIOServicePowerCapabilityOff) {
        FlushCaches();
        return kIOReturnSuccess;
    }
    return SetPowerState(powerFlags, SUPERDISPATCH);
}
`,
    },
    /DiskDriver::SetPowerState has a way out without the call to super/,
  );
});

test("DR15-2 fires: never calls super", async () => {
  await assertFires(
    powerWithoutSuper,
    {
      driver: `kern_return_t DiskDriver::SetPowerState_Impl(uint32_t powerFlags)
{
    ivars->power = powerFlags;
    return kIOReturnSuccess;
}
`,
    },
    /never calls super/,
  );
});

test("DR15-2 is silent on the corrected source", async () => {
  await assertSilent(powerWithoutSuper, {
    driver: `kern_return_t IMPL(DiskDriver, SetPowerState)
{
    if (powerFlags == kIOServicePowerCapabilityOff) {
        kern_return_t ret = QueueFlush();
        if (ret != kIOReturnSuccess) return ret;
    }
    if (ivars->stopping) return kIOReturnNotReady;
    switch (powerFlags) {
        case kIOServicePowerCapabilityOn:
            ResumeLater();
            return SetPowerState(powerFlags, SUPERDISPATCH);
        default:
            break;
    }
    return SetPowerState(powerFlags, SUPERDISPATCH);
}
`,
  });
});

test("DR15-2 is silent on the corrected source (2)", async () => {
  await assertSilent(powerWithoutSuper, {
    driver: `kern_return_t DiskDriver::SetPowerState_Impl(uint32_t powerFlags)
{
    ivars->queue->DispatchAsync(^{ SetPowerState(powerFlags, SUPERDISPATCH); });
    return kIOReturnSuccess;
}
`,
  });
});
