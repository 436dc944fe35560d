// DR02-5: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { lengthFromStructSize } from "./length-from-struct-size.ts";

test("DR02-5 fires: sizeof(LineCoding) - 1, and a line coding has 7 bytes", async () => {
  await assertFires(
    lengthFromStructSize,
    {
      driver: `kern_return_t MyUart::SendLineCoding()
{
    uint16_t length = sizeof(LineCoding) - 1;
    return ivars->interface->DeviceRequest(0x21, 0x20, 0, 0, length, ivars->buffer, nullptr, 1000);
}
`,
    },
    /sizeof\(LineCoding\) - 1, and a line coding has 7 bytes/,
  );
});

test("DR02-5 is silent on the corrected source", async () => {
  await assertSilent(lengthFromStructSize, {
    driver: `kern_return_t MyUart::SendLineCoding()
{
    constexpr uint16_t length = 7;
    return ivars->interface->DeviceRequest(0x21, 0x20, 0, 0, length, ivars->buffer, nullptr, 1000);
}
`,
  });
});

test("DR02-5 is silent on the corrected source (2)", async () => {
  await assertSilent(lengthFromStructSize, {
    driver: `kern_return_t MyUart::Name()
{
    strlcpy(ivars->name, "uart", sizeof(ivars->name) - 1);
    return kIOReturnSuccess;
}
`,
  });
});
