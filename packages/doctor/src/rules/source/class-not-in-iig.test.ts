// DR06-2: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { classNotInIig } from "./class-not-in-iig.ts";

test("DR06-2 fires: VirtualGamepad derives from IOUserHIDDevice and is declared in a header", async () => {
  await assertFires(
    classNotInIig,
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
    /VirtualGamepad derives from IOUserHIDDevice and is declared in a header/,
  );
});

test("DR06-2 is silent on the corrected source", async () => {
  await assertSilent(classNotInIig, {
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

test("DR06-2 is silent on the corrected source (2)", async () => {
  await assertSilent(classNotInIig, {
    driver: `#include <IOKit/IOService.h>
class MyKext : public IOService
{
    OSDeclareDefaultStructors(MyKext)
};
`,
  });
});

test("DR06-2 is silent on the corrected source (3)", async () => {
  await assertSilent(classNotInIig, {
    driver: `#pragma once
#include <DriverKit/DriverKit.h>
class RingOfBytes
{
public:
    bool push(uint8_t byte);
};
`,
  });
});

test("DR06-2 is silent on a test's stand-in for a class of the framework", async () => {
  await assertSilent(classNotInIig, {
    standIn: `#pragma once
#include <DriverKit/OSObject.h>

class OSDictionary : public OSObject {
public:
    int count() { return 0; }
};
`,
  });
});
