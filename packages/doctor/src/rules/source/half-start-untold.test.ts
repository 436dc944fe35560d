// FX-HALF-START: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { halfStartUntold } from "./half-start-untold.ts";

test("FX-HALF-START fires: HbaDriver::SetUpSources leaves its loop half-way", async () => {
  await assertFires(
    halfStartUntold,
    {
      driver: `void HbaDriver::SetUpSources()
{
    for (uint32_t vector = 0; vector < ivars->vectors; ++vector) {
        kern_return_t ret = IOInterruptDispatchSource::Create(ivars->pci, ivars->index[vector], ivars->queue[vector], &ivars->source[vector]);
        if (ret != kIOReturnSuccess) return;
    }
}
`,
    },
    /HbaDriver::SetUpSources leaves its loop half-way/,
  );
});

test("FX-HALF-START is silent on the corrected source", async () => {
  await assertSilent(halfStartUntold, {
    driver: `kern_return_t HbaDriver::SetUpSources()
{
    for (uint32_t vector = 0; vector < ivars->vectors; ++vector) {
        kern_return_t ret = IOInterruptDispatchSource::Create(ivars->pci, ivars->index[vector], ivars->queue[vector], &ivars->source[vector]);
        if (ret != kIOReturnSuccess) {
            CancelSources(vector);
            return ret;
        }
    }
    return kIOReturnSuccess;
}
`,
  });
});
