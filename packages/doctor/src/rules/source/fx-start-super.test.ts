// FX-START-SUPER: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { fxxstartxsuper } from "./fx-start-super.ts";

test("FX-START-SUPER fires", async () => {
  await assertFires(
    fxxstartxsuper,
    {
      driver: `kern_return_t IMPL(MyDriver, Start)
{
    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    return RegisterService();
}
`,
    },
    /MyDriver::Start never calls super/,
  );
});

test("FX-START-SUPER is silent on the corrected source", async () => {
  await assertSilent(fxxstartxsuper, {
    driver: `kern_return_t IMPL(MyDriver, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return ret;
    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    return RegisterService();
}
`,
  });
});
