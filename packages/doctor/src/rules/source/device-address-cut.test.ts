// DR16-2: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { deviceAddressCut } from "./device-address-cut.ts";

test("DR16-2 fires: cuts segments[].address to 32 bits", async () => {
  await assertFires(
    deviceAddressCut,
    {
      driver: `kern_return_t RingDriver::Program()
{
    IODMACommandSpecification specification = { .options = 0, .maxAddressBits = 64 };
    IOAddressSegment segments[32];
    uint32_t count = 32;
    kern_return_t ret = ivars->command->PrepareForDMA(0, ivars->ring, 0, 0, &ivars->flags, &count, segments);
    if (ret != kIOReturnSuccess || count != 1) return kIOReturnNoResources;
    ivars->pci->MemoryWrite32(0, kRingBase, (uint32_t)segments[0].address);
    return kIOReturnSuccess;
}
`,
    },
    /cuts segments\[\]\.address to 32 bits/,
  );
});

test("DR16-2 is silent on the corrected source", async () => {
  await assertSilent(deviceAddressCut, {
    driver: `kern_return_t RingDriver::Program()
{
    IODMACommandSpecification specification = { .options = 0, .maxAddressBits = 64 };
    IOAddressSegment segments[32];
    uint32_t count = 32;
    kern_return_t ret = ivars->command->PrepareForDMA(0, ivars->ring, 0, 0, &ivars->flags, &count, segments);
    if (ret != kIOReturnSuccess || count != 1) return kIOReturnNoResources;
    ivars->pci->MemoryWrite32(0, kRingBase, (uint32_t)segments[0].address);
    ivars->pci->MemoryWrite32(0, kRingBaseHigh, (uint32_t)(segments[0].address >> 32));
    return kIOReturnSuccess;
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
