// FX-PLAIN-ACTION: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plainActionDropsCallbacks } from "./plain-action-drops-callbacks.ts";

test("FX-PLAIN-ACTION fires: its callbacks are dropped silently", async () => {
  await assertFires(
    plainActionDropsCallbacks,
    {
      driver: `kern_return_t MyDriver::MakeTimer()
{
    kern_return_t ret = OSAction::Create(this, MyDriver_Tick_ID, IOTimerDispatchSource_TimerOccurred_ID, 0, &ivars->action);
    return ret == kIOReturnSuccess ? ivars->timer->SetHandler(ivars->action) : ret;
}
`,
    },
    /its callbacks are dropped silently/,
  );
});

const iig = (method: string) => `#include <DriverKit/IOService.iig>
class MyDriver : public IOService
{
public:
    virtual kern_return_t MakePipes() LOCALONLY;
    virtual void Done(OSAction * action, IOReturn status, uint32_t count, uint64_t time)${method};
};
`;
const makes = `#include <DriverKit/IOLib.h>
kern_return_t MyDriver::MakePipes()
{
    return OSAction::Create(this, MyDriver_Done_ID, IOUSBHostPipe_CompleteAsyncIO_ID, 0, &ivars->done);
}
`;

test("FX-PLAIN-ACTION fires: the method has a TYPE in its .iig", async () => {
  await assertFires(
    plainActionDropsCallbacks,
    { iig: iig(" TYPE(IOUSBHostPipe::CompleteAsyncIO)"), driver: makes },
    /OSAction::Create for Done, which has a TYPE: its callbacks are dropped silently/,
  );
});

// A public audio driver makes all its actions so, and they arrive: its methods have no TYPE.
test("FX-PLAIN-ACTION is silent: the method has no TYPE", async () => {
  await assertSilent(plainActionDropsCallbacks, { iig: iig(""), driver: makes });
});

test("FX-PLAIN-ACTION is silent on the corrected source", async () => {
  await assertSilent(plainActionDropsCallbacks, {
    driver: `kern_return_t MyDriver::MakeTimer()
{
    kern_return_t ret = CreateActionTick(0, &ivars->action);
    return ret == kIOReturnSuccess ? ivars->timer->SetHandler(ivars->action) : ret;
}
`,
  });
});
