// FX-REQUEST-DROPPED: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { requestResultDropped } from "./request-result-dropped.ts";

test("FX-REQUEST-DROPPED fires: DiskDriver::Reset drops what DeviceRequest answers", async () => {
  await assertFires(
    requestResultDropped,
    {
      driver: `kern_return_t DiskDriver::Reset()
{
    uint16_t moved = 0;
    ivars->interface->DeviceRequest(0x21, 0xff, 0, 0, 0, nullptr, &moved, 1000);
    ivars->isReset = true;
    return kIOReturnSuccess;
}
`,
    },
    /DiskDriver::Reset drops what DeviceRequest answers/,
  );
});

test("FX-REQUEST-DROPPED is silent on the corrected source", async () => {
  await assertSilent(requestResultDropped, {
    driver: `kern_return_t DiskDriver::Reset()
{
    uint16_t moved = 0;
    kern_return_t ret = ivars->interface->DeviceRequest(0x21, 0xff, 0, 0, 0, nullptr, &moved, 1000);
    if (ret == kIOReturnSuccess) ivars->isReset = true;
    return ret;
}
`,
  });
});
