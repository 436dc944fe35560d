// DR02-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr02x3 } from "./dr02-3.ts";

test("DR02-3 fires", async () => {
  await assertFires(
    dr02x3,
    {
      driver: `kern_return_t MyUart::SetBaud(uint32_t baudRate)
{
    OSSwapBigToHostInt32(baudRate);
    ivars->coding->dwDTERate = baudRate;
    return kIOReturnSuccess;
}
`,
    },
    /OSSwapBigToHostInt32\(baudRate\) is used by nobody/,
  );
});

test("DR02-3 is silent on the corrected source", async () => {
  await assertSilent(dr02x3, {
    driver: `kern_return_t MyUart::SetBaud(uint32_t baudRate)
{
    ivars->coding->dwDTERate = OSSwapHostToLittleInt32(baudRate);
    return kIOReturnSuccess;
}
`,
  });
});
