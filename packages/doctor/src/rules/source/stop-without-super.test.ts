// FX-STOP-SUPER: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { stopWithoutSuper } from "./stop-without-super.ts";

test("FX-STOP-SUPER fires: MyDriver::Stop never calls super", async () => {
  await assertFires(
    stopWithoutSuper,
    {
      driver: `kern_return_t IMPL(MyDriver, Stop)
{
    ivars->pipe->Abort(0, kIOReturnAborted, this);
    return kIOReturnSuccess;
}
`,
    },
    /MyDriver::Stop never calls super/,
  );
});

test("FX-STOP-SUPER fires: has a way out without the call to super", async () => {
  await assertFires(
    stopWithoutSuper,
    {
      driver: `kern_return_t MyDriver::Stop_Impl(IOService * provider)
{
    if (ivars->interface == nullptr) return kIOReturnSuccess;
    ivars->interface->Close(this, 0);
    return Stop(provider, SUPERDISPATCH);
}
`,
    },
    /has a way out without the call to super/,
  );
});

test("FX-STOP-SUPER is silent on the corrected source", async () => {
  await assertSilent(stopWithoutSuper, {
    driver: `kern_return_t MyDriver::Stop_Impl(IOService * provider)
{
    if (ivars->interface != nullptr) ivars->interface->Close(this, 0);
    ivars->source->Cancel(^{
        Stop(provider, SUPERDISPATCH);
        this->release();
    });
    return kIOReturnSuccess;
}
`,
  });
});

test("FX-STOP-SUPER is silent on the corrected source (2)", async () => {
  await assertSilent(stopWithoutSuper, {
    driver: `kern_return_t Motor::Stop()
{
    ivars->speed = 0;
    return kIOReturnSuccess;
}
`,
  });
});
