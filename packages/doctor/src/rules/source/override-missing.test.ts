// FX-OVERRIDE: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { overrideMissing } from "./override-missing.ts";

test("FX-OVERRIDE fires: VirtualGamepad declares init, Start, newDeviceDescription, newReportDescriptor without ove", async () => {
  await assertFires(
    overrideMissing,
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
    /VirtualGamepad declares init, Start, newDeviceDescription, newReportDescriptor without override/,
  );
});

test("FX-OVERRIDE is silent on the corrected source", async () => {
  await assertSilent(overrideMissing, {
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

test("FX-OVERRIDE is silent on an init with parameters and on a copy of the framework's own header", async () => {
  await assertSilent(overrideMissing, {
    driver: `#include <Availability.h>
#include <DriverKit/IOService.iig>

class Panel : public IOService
{
public:
    virtual bool init(IOService * owner);
    virtual kern_return_t Start(IOService * provider) override;
};
`,
    copy: `#include <Availability.h>
#include <DriverKit/IOService.iig>

class IOUserPanel : public IOService
{
public:
    virtual bool init();
    virtual kern_return_t Start(IOService * provider);
};
`,
  });
});
