// DR16-4: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dmaNotCompleted } from "./dma-not-completed.ts";

test("DR16-4 fires: completes the DMA and writes the engine", async () => {
  await assertFires(
    dmaNotCompleted,
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
  await assertSilent(dmaNotCompleted, {
    driver: `kern_return_t IMPL(RingDriver, Stop)
{
    ivars->pci->MemoryWrite32(0, kEngineControl, 0);
    ivars->command->CompleteDMA(kIODMACommandCompleteDMANoOptions);
    return Stop(provider, SUPERDISPATCH);
}
`,
  });
});
