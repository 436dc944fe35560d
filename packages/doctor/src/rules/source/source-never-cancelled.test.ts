// DR11-4-CANCEL: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { sourceNeverCancelled } from "./source-never-cancelled.ts";

test("DR11-4-CANCEL fires: never cancelled", async () => {
  await assertFires(
    sourceNeverCancelled,
    {
      driver: `kern_return_t HbaDriver::Attach()
{
    return IOInterruptDispatchSource::Create(ivars->pci, 1, ivars->queue, &ivars->source);
}

kern_return_t IMPL(HbaDriver, Stop)
{
    OSSafeReleaseNULL(ivars->source);
    return Stop(provider, SUPERDISPATCH);
}
`,
    },
    /never cancelled/,
  );
});

test("DR11-4-CANCEL fires: no teardown is shown", async () => {
  await assertFires(
    sourceNeverCancelled,
    {
      driver: `kern_return_t HbaDriver::Attach()
{
    return IOInterruptDispatchSource::Create(ivars->pci, 1, ivars->queue, &ivars->source);
}
`,
    },
    /no teardown is shown/,
    "hint",
  );
});

test("DR11-4-CANCEL is silent on the corrected source", async () => {
  await assertSilent(sourceNeverCancelled, {
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
