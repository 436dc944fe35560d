// FX-DEFAULT-QUEUE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { defaultQueueReplaced } from "./default-queue-replaced.ts";

test("FX-DEFAULT-QUEUE fires: in a network driver", async () => {
  await assertFires(
    defaultQueueReplaced,
    {
      a: `#include <NetworkingDriverKit/IOUserNetworkEthernet.iig>
class Net : public IOUserNetworkEthernet
{
public:
    virtual kern_return_t Start(IOService *provider) override;
};
kern_return_t Net::Start_Impl(IOService *provider)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    return SetDispatchQueue("Default", ivars->queue);
}
`,
    },
    /replaces the queue "Default"/,
  );
});

test("FX-DEFAULT-QUEUE is silent: any other driver may", async () => {
  await assertSilent(defaultQueueReplaced, {
    a: `#include <NetworkingDriverKit/IOUserNetworkEthernet.iig>
class Net : public IOService
{
public:
    virtual kern_return_t Start(IOService *provider) override;
};
kern_return_t Net::Start_Impl(IOService *provider)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    return SetDispatchQueue("Default", ivars->queue);
}
`,
  });
});
