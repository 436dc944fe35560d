// FX-USER-CLASS: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { userClassNotDeclared } from "./user-class-not-declared.ts";

test("FX-USER-CLASS fires: names the class VirtualGamePad, and no source here declares it", async () => {
  await assertFires(
    userClassNotDeclared,
    {
      a: `#include <Availability.h>
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
      b: `<?xml version="1.0"?>
<plist version="1.0"><dict><key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string>
<key>IOKitPersonalities</key><dict><key>Pad</key><dict>
<key>IOUserClass</key><string>VirtualGamePad</string>
</dict></dict></dict></plist>
`,
    },
    /names the class VirtualGamePad, and no source here declares it/,
  );
});

test("FX-USER-CLASS is silent on the corrected source", async () => {
  await assertSilent(userClassNotDeclared, {
    a: `#include <Availability.h>
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
    b: `<?xml version="1.0"?>
<plist version="1.0"><dict><key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string>
<key>IOKitPersonalities</key><dict><key>Pad</key><dict>
<key>IOUserClass</key><string>VirtualGamepad</string>
</dict></dict></dict></plist>
`,
  });
});
