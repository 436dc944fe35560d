// DR02-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { swapResultDropped } from "./swap-result-dropped.ts";

test("DR02-3 fires: OSSwapBigToHostInt32(baudRate) is used by nobody", async () => {
  await assertFires(
    swapResultDropped,
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
  await assertSilent(swapResultDropped, {
    driver: `kern_return_t MyUart::SetBaud(uint32_t baudRate)
{
    ivars->coding->dwDTERate = OSSwapHostToLittleInt32(baudRate);
    return kIOReturnSuccess;
}
`,
  });
});
