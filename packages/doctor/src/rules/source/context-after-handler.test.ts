// DR11-4-CONTEXT: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { contextAfterHandler } from "./context-after-handler.ts";

test("DR11-4-CONTEXT fires: is filled after SetHandler", async () => {
  await assertFires(
    contextAfterHandler,
    {
      driver: `kern_return_t HbaDriver::Attach(uint32_t vector)
{
    kern_return_t ret = ivars->source[vector]->SetHandler(ivars->action[vector]);
    if (ret != kIOReturnSuccess) return ret;
    ivars->context[vector] = static_cast<VectorContext *>(ivars->action[vector]->GetReference());
    return ivars->source[vector]->SetEnable(true);
}
`,
    },
    /is filled after SetHandler/,
  );
});

test("DR11-4-CONTEXT is silent on the corrected source", async () => {
  await assertSilent(contextAfterHandler, {
    driver: `kern_return_t HbaDriver::Attach(uint32_t vector)
{
    char name[32];
    snprintf(name, sizeof(name), "interrupt %u", vector);
    kern_return_t ret = IODispatchQueue::Create(name, 0, 0, &ivars->queue[vector]);
    if (ret == kIOReturnSuccess) ret = IOInterruptDispatchSource::Create(ivars->pci, ivars->index[vector], ivars->queue[vector], &ivars->source[vector]);
    if (ret != kIOReturnSuccess) return ret;
    ivars->context[vector] = static_cast<VectorContext *>(ivars->action[vector]->GetReference());
    ret = ivars->source[vector]->SetHandler(ivars->action[vector]);
    return ret == kIOReturnSuccess ? ivars->source[vector]->SetEnable(true) : ret;
}

kern_return_t IMPL(HbaDriver, Stop)
{
    ivars->source[0]->SetEnable(false);
    return ivars->source[0]->Cancel(^{ Stop(provider, SUPERDISPATCH); });
}
`,
  });
});
