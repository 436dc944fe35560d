// FX-AFTER-CLOSE: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { registerAfterClose } from "./register-after-close.ts";

test("FX-AFTER-CLOSE fires: MemoryWrite32 comes after", async () => {
  await assertFires(
    registerAfterClose,
    {
      driver: `kern_return_t IMPL(HbaDriver, Stop)
{
    ivars->pci->Close(this, 0);
    ivars->pci->MemoryWrite32(ivars->bar, 0x10, 0);
    return Stop(provider, SUPERDISPATCH);
}
`,
    },
    /MemoryWrite32 comes after/,
  );
});

test("FX-AFTER-CLOSE is silent on the corrected source", async () => {
  await assertSilent(registerAfterClose, {
    driver: `kern_return_t IMPL(HbaDriver, Stop)
{
    ivars->pci->MemoryWrite32(ivars->bar, 0x10, 0);
    ivars->pci->Close(this, 0);
    return Stop(provider, SUPERDISPATCH);
}
`,
  });
});
