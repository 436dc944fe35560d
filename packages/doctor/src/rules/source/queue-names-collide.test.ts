// DR11-4: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { queueNamesCollide } from "./queue-names-collide.ts";

test("DR11-4 fires: Several queues get the name 'interrupts'", async () => {
  await assertFires(
    queueNamesCollide,
    {
      driver: `kern_return_t HbaDriver::MakeQueues()
{
    for (uint32_t vector = 0; vector < 5; ++vector) {
        kern_return_t ret = IODispatchQueue::Create("interrupts", 0, 0, &ivars->queue[vector]);
        if (ret != kIOReturnSuccess) return ret;
    }
    return kIOReturnSuccess;
}
`,
    },
    /Several queues get the name "interrupts"/,
  );
});

test("DR11-4 is silent on the corrected source", async () => {
  await assertSilent(queueNamesCollide, {
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
