// DR11-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { interruptsByCount } from "./interrupts-by-count.ts";

test("DR11-3 fires: makes sources for the indices 0 to vectors - 1", async () => {
  await assertFires(
    interruptsByCount,
    {
      driver: `kern_return_t HbaDriver::SetUpInterrupts()
{
    uint32_t vectors = 0;
    for (uint32_t index = 0;; ++index) {
        uint64_t type = 0;
        if (IOInterruptDispatchSource::GetInterruptType(ivars->pci, index, &type) != kIOReturnSuccess) break;
        if (type & kIOInterruptTypePCIMessagedX) ++vectors;
    }
    for (uint32_t vector = 0; vector < vectors; ++vector) {
        kern_return_t ret = IOInterruptDispatchSource::Create(ivars->pci, vector, ivars->queue[vector], &ivars->source[vector]);
        if (ret != kIOReturnSuccess) return ret;
    }
    return kIOReturnSuccess;
}
`,
    },
    /makes sources for the indices 0 to vectors - 1/,
  );
});

test("DR11-3 is silent on the corrected source", async () => {
  await assertSilent(interruptsByCount, {
    driver: `kern_return_t HbaDriver::SetUpInterrupts()
{
    uint32_t indices[kMaxVectors];
    uint32_t vectors = 0;
    for (uint32_t index = 0; vectors < kMaxVectors; ++index) {
        uint64_t type = 0;
        kern_return_t ret = IOInterruptDispatchSource::GetInterruptType(ivars->pci, index, &type);
        if (ret != kIOReturnSuccess) {
            ivars->lastStatus = ret;
            break;
        }
        if (type & kIOInterruptTypePCIMessagedX) indices[vectors++] = index;
    }
    for (uint32_t vector = 0; vector < vectors; ++vector) {
        kern_return_t ret = IOInterruptDispatchSource::Create(ivars->pci, indices[vector], ivars->queue[vector], &ivars->source[vector]);
        if (ret != kIOReturnSuccess) return ret;
    }
    return kIOReturnSuccess;
}
`,
  });
});
