// FX-QUEUE-NAME: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { queueNameUnknown } from "./queue-name-unknown.ts";

test("FX-QUEUE-NAME fires: SetDispatchQueue('Interrupts') is refused", async () => {
  await assertFires(
    queueNameUnknown,
    {
      b: `kern_return_t IMPL(MyDriver, Start)
{
    kern_return_t ret = SetDispatchQueue("Interrupts", ivars->queue);
    return ret == kIOReturnSuccess ? Start(provider, SUPERDISPATCH) : ret;
}
`,
      a: `#include <DriverKit/IOService.iig>
class MyDriver : public IOService
{
public:
    virtual kern_return_t Start(IOService * provider) override;
    void Fire(OSAction * action, uint64_t count, uint64_t time) TYPE(IOInterruptDispatchSource::InterruptOccurred) QUEUENAME(Interrupt);
};
`,
    },
    /SetDispatchQueue\("Interrupts"\) is refused/,
  );
});

test("FX-QUEUE-NAME is silent on the corrected source", async () => {
  await assertSilent(queueNameUnknown, {
    a: `#include <DriverKit/IOService.iig>
class MyDriver : public IOService
{
public:
    virtual kern_return_t Start(IOService * provider) override;
    void Fire(OSAction * action, uint64_t count, uint64_t time) TYPE(IOInterruptDispatchSource::InterruptOccurred) QUEUENAME(Interrupts);
};
`,
    b: `kern_return_t IMPL(MyDriver, Start)
{
    kern_return_t ret = SetDispatchQueue("Interrupts", ivars->queue);
    return ret == kIOReturnSuccess ? Start(provider, SUPERDISPATCH) : ret;
}
`,
  });
});
