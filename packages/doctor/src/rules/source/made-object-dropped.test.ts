// DR02-7: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { madeObjectDropped } from "./made-object-dropped.ts";

test("DR02-7 fires: result of CreateIOBuffer is dropped; when it fails, ivars->buffer is not set", async () => {
  await assertFires(
    madeObjectDropped,
    {
      driver: `kern_return_t MyUart::Make()
{
    ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, 7, &ivars->buffer);
    ivars->buffer->CreateMapping(0, 0, 0, 7, 0, &ivars->map);
    return kIOReturnSuccess;
}
`,
    },
    /result of CreateIOBuffer is dropped; when it fails, ivars->buffer is not set/,
  );
});

test("DR02-7 is silent on the corrected source", async () => {
  await assertSilent(madeObjectDropped, {
    driver: `kern_return_t MyUart::Make()
{
    kern_return_t ret = ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, 7, &ivars->buffer);
    if (ret != kIOReturnSuccess) return ret;
    return ivars->buffer->CreateMapping(0, 0, 0, 7, 0, &ivars->map);
}
`,
  });
});
