// FX-BUFFER-OPTIONS: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { bufferOptionsUnknown } from "./buffer-options-unknown.ts";

test("FX-BUFFER-OPTIONS fires: refused with 0xe00002c2", async () => {
  await assertFires(
    bufferOptionsUnknown,
    {
      driver: `kern_return_t MyDriver::MakeRing()
{
    return IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut | kIOMemoryPhysicallyContiguous, 65536, 4096, &ivars->ring);
}
`,
    },
    /refused with 0xe00002c2/,
  );
});

test("FX-BUFFER-OPTIONS is silent on the corrected source", async () => {
  await assertSilent(bufferOptionsUnknown, {
    driver: `kern_return_t MyDriver::MakeRing()
{
    return IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, 65536, 4096, &ivars->ring);
}
`,
  });
});
