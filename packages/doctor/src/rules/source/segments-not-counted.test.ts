// DR16-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { segmentsNotCounted } from "./segments-not-counted.ts";

test("DR16-3 fires: with count not set", async () => {
  await assertFires(
    segmentsNotCounted,
    {
      driver: `kern_return_t RingDriver::Map()
{
    IOAddressSegment segments[32];
    uint32_t count;
    kern_return_t ret = ivars->command->PrepareForDMA(0, ivars->ring, 0, 0, &ivars->flags, &count, segments);
    if (ret == kIOReturnSuccess) ivars->base = segments[0].address;
    return ret;
}
`,
    },
    /with count not set/,
  );
});

test("DR16-3 is silent on the corrected source", async () => {
  await assertSilent(segmentsNotCounted, {
    driver: `kern_return_t RingDriver::Map()
{
    IOAddressSegment segments[32];
    uint32_t count = 32;
    kern_return_t ret = ivars->command->PrepareForDMA(0, ivars->ring, 0, 0, &ivars->flags, &count, segments);
    if (ret == kIOReturnSuccess && count != 1) ret = kIOReturnNoResources;
    if (ret == kIOReturnSuccess) ivars->base = segments[0].address;
    return ret;
}

kern_return_t IMPL(RingDriver, Stop)
{
    ivars->pci->MemoryWrite32(0, kEngineControl, 0);
    ivars->command->CompleteDMA(kIODMACommandCompleteDMANoOptions);
    return Stop(provider, SUPERDISPATCH);
}
`,
  });
});
