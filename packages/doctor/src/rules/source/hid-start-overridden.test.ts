// FX-HID-START: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { hidStartOverridden } from "./hid-start-overridden.ts";

test("FX-HID-START fires: VirtualGamepad overrides Start", async () => {
  await assertFires(
    hidStartOverridden,
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
    /VirtualGamepad overrides Start/,
  );
});

test("FX-HID-START is silent on the corrected source", async () => {
  await assertSilent(hidStartOverridden, {
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

test("FX-HID-START is silent when handleStart is overridden beside Start", async () => {
  await assertSilent(hidStartOverridden, {
    driver: `#include <Availability.h>
#include <HIDDriverKit/IOUserHIDDevice.iig>

class Panel : public IOUserHIDDevice
{
public:
    virtual bool handleStart(IOService * provider) override;
    virtual kern_return_t Start(IOService * provider) override;
};
`,
  });
});
