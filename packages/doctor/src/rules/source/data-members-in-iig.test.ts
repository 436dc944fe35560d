// DR06-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dataMembersInIig } from "./data-members-in-iig.ts";

test("DR06-3 fires: VirtualGamepad has data members in its .iig: uint32_t buttons; IODispatchQueue * queue;", async () => {
  await assertFires(
    dataMembersInIig,
    {
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
    uint32_t buttons;
    IODispatchQueue * queue;
    void Tick(OSAction * action, uint64_t time) TYPE(IOTimerDispatchSource::TimerOccurred);
};
`,
    },
    /VirtualGamepad has data members in its \.iig: uint32_t buttons; IODispatchQueue \* queue;/,
  );
});

test("DR06-3 is silent on the corrected source", async () => {
  await assertSilent(dataMembersInIig, {
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

test("DR06-3 is silent on an enumeration inside the class", async () => {
  await assertSilent(dataMembersInIig, {
    driver: `#include <Availability.h>
#include <DriverKit/IOUserClient.iig>

class PanelUserClient : public IOUserClient
{
public:
    enum { kMethodPing = 0, kMethodRead = 1 };
    virtual bool init() override;
    virtual kern_return_t Start(IOService * provider) override;
};
`,
  });
});
