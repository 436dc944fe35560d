// FX-REQUEST-DATA: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { requestDataDoesNotFit } from "./request-data-does-not-fit.ts";

test("FX-REQUEST-DATA fires: asks for 2 bytes of data and gives no buffer", async () => {
  await assertFires(
    requestDataDoesNotFit,
    {
      driver: `kern_return_t MyDriver::GetStatus()
{
    uint32_t moved = 0;
    return ivars->interface->DeviceRequest(0x80, 0, 0, 0, 2, nullptr, &moved, 1000);
}
`,
    },
    /asks for 2 bytes of data and gives no buffer/,
  );
});

test("FX-REQUEST-DATA is silent on the corrected source", async () => {
  await assertSilent(requestDataDoesNotFit, {
    driver: `kern_return_t MyDriver::GetStatus()
{
    uint32_t moved = 0;
    kern_return_t ret = ivars->interface->DeviceRequest(0x21, 0x22, 3, 0, 0, nullptr, &moved, 1000);
    return ret == kIOReturnSuccess ? ivars->interface->DeviceRequest(0x80, 0, 0, 0, 2, ivars->buffer, &moved, 1000) : ret;
}
`,
  });
});
