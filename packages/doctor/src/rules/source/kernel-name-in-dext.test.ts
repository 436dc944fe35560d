// DR06-1: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { kernelNameInDext } from "./kernel-name-in-dext.ts";

test("DR06-1 fires: ^OSDeclareDefaultStructors is a name of kernel extensions", async () => {
  await assertFires(
    kernelNameInDext,
    {
      driver: `#include <DriverKit/OSMetaClass.h>
#include <HIDDriverKit/IOUserHIDDevice.h>

class VirtualGamepad : public IOUserHIDDevice
{
    OSDeclareDefaultStructors(VirtualGamepad)

public:
    virtual bool init();
    virtual kern_return_t Start(IOService * provider);
    virtual OSDictionary * newDeviceDescription();
    virtual OSData * newReportDescriptor();
};
`,
    },
    /^OSDeclareDefaultStructors is a name of kernel extensions/,
  );
});

test("DR06-1 fires: IOWorkLoop is a name of kernel extensions; DriverKit has IODispatchQueue", async () => {
  await assertFires(
    kernelNameInDext,
    {
      driver: `#include <DriverKit/IOService.h>
kern_return_t IMPL(MyDriver, Start)
{
    IOWorkLoop * loop = IOWorkLoop::workLoop();
    ivars->loop = loop;
    return Start(provider, SUPERDISPATCH);
}
`,
    },
    /IOWorkLoop is a name of kernel extensions; DriverKit has IODispatchQueue/,
  );
});

test("DR06-1 is silent on the corrected source", async () => {
  await assertSilent(kernelNameInDext, {
    driver: `#include <Availability.h>
#include <DriverKit/IOService.iig>
#include <HIDDriverKit/IOUserHIDDevice.iig>

class VirtualGamepad : public IOUserHIDDevice
{
public:
    virtual bool init() override;
    virtual void free() override;
    virtual bool handleStart(IOService * provider) override;
    virtual OSDictionary * newDeviceDescription() override;
    virtual OSData * newReportDescriptor() override;
    void Tick(OSAction * action, uint64_t time) TYPE(IOTimerDispatchSource::TimerOccurred);
};
`,
  });
});

test("DR06-1 is silent on the corrected source (2)", async () => {
  await assertSilent(kernelNameInDext, {
    driver: `#include <IOKit/IOService.h>
class MyKext : public IOService
{
    OSDeclareDefaultStructors(MyKext)
public:
    virtual bool start(IOService * provider) override;
};
`,
  });
});

test("DR06-1 is silent on the corrected source (3)", async () => {
  await assertSilent(kernelNameInDext, {
    driver: `#include <DriverKit/IOService.h>
// OSDeclareDefaultStructors(MyDriver) is gone: the interface compiler does it.
kern_return_t IMPL(MyDriver, Start)
{
    IOLog("IOWorkLoop is no more\\n");
    return Start(provider, SUPERDISPATCH);
}
`,
  });
});

test("DR06-1 is silent on the kernel's half of a family, which includes DriverKit's headers as well", async () => {
  await assertSilent(kernelNameInDext, {
    family: `#include <IOKit/IOLib.h>
#include <IOKit/IOEventSource.h>
#include <IOKit/IOMessage.h>
#include <HIDDriverKit/IOPartnerDevice.h>

OSDefineMetaClassAndStructors(PartnerDevice, IOService)

kern_return_t IMPL(PartnerDevice, KernelStart)
{
    IOWorkLoop * loop = getWorkLoop();
    return super::start(getProvider()) ? kIOReturnSuccess : kIOReturnError;
}
`,
  });
});
