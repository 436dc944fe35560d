// FX-INTERRUPT-COUNT: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { interruptNumbersImpossible } from "./interrupt-numbers-impossible.ts";

test("FX-INTERRUPT-COUNT fires: with 5 required and 1 requested is refused", async () => {
  await assertFires(
    interruptNumbersImpossible,
    {
      driver: `kern_return_t HbaDriver::Interrupts()
{
    return ivars->pci->ConfigureInterrupts(kIOInterruptTypePCIMessagedX, 5, 1);
}
`,
    },
    /with 5 required and 1 requested is refused/,
  );
});

test("FX-INTERRUPT-COUNT is silent on the corrected source", async () => {
  await assertSilent(interruptNumbersImpossible, {
    driver: `kern_return_t HbaDriver::Interrupts()
{
    return ivars->pci->ConfigureInterrupts(kIOInterruptTypePCIMessagedX, 1, 5);
}
`,
  });
});
