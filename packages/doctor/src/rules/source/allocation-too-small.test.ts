// FX-ALLOC-SIZE: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { allocationTooSmall } from "./allocation-too-small.ts";

test("FX-ALLOC-SIZE fires: less than the struct", async () => {
  await assertFires(
    allocationTooSmall,
    {
      driver: `kern_return_t MyUart::Make()
{
    uint16_t length = sizeof(LineCoding) - 1;
    LineCoding * coding = (LineCoding *)IOMalloc(length);
    coding->bDataBits = 8;
    return ivars->Send(coding, length);
}
`,
    },
    /less than the struct/,
  );
});

test("FX-ALLOC-SIZE is silent on the corrected source", async () => {
  await assertSilent(allocationTooSmall, {
    driver: `kern_return_t MyUart::Make()
{
    LineCoding * coding = IONewZero(LineCoding, 1);
    if (coding == nullptr) return kIOReturnNoMemory;
    coding->bDataBits = 8;
    return ivars->Send(coding, 7);
}
`,
  });
});
