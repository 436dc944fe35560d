// DR16-4: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr16x4 } from "./dr16-4.ts";

test("DR16-4 fires", async () => {
  await assertFires(
    dr16x4,
    {
      driver: `kern_return_t IMPL(RingDriver, Stop)
{
    ivars->command->CompleteDMA(kIODMACommandCompleteDMANoOptions);
    ivars->pci->MemoryWrite32(0, kEngineControl, 0);
    return Stop(provider, SUPERDISPATCH);
}
`,
    },
    /completes the DMA and writes the engine/,
  );
});

test("DR16-4 is silent on the corrected source", async () => {
  await assertSilent(dr16x4, {
    driver: `kern_return_t IMPL(RingDriver, Stop)
{
    ivars->pci->MemoryWrite32(0, kEngineControl, 0);
    ivars->command->CompleteDMA(kIODMACommandCompleteDMANoOptions);
    return Stop(provider, SUPERDISPATCH);
}
`,
  });
});
