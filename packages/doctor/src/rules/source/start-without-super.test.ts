// FX-START-SUPER: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { startWithoutSuper } from "./start-without-super.ts";

test("FX-START-SUPER fires: MyDriver::Start never calls super", async () => {
  await assertFires(
    startWithoutSuper,
    {
      driver: `kern_return_t IMPL(MyDriver, Start)
{
    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    return RegisterService();
}
`,
    },
    /MyDriver::Start never calls super/,
  );
});

test("FX-START-SUPER is silent on the corrected source", async () => {
  await assertSilent(startWithoutSuper, {
    driver: `kern_return_t IMPL(MyDriver, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return ret;
    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    return RegisterService();
}
`,
  });
});

test("FX-START-SUPER is silent on a Start of somebody's own, and on a test's stand-in", async () => {
  await assertSilent(startWithoutSuper, {
    header: `#pragma once
#include <DriverKit/IOService.h>

class PanelCore : private Observer {
public:
    kern_return_t Start(IOService * provider);
};
`,
    core: `#include <DriverKit/IOService.h>
#include "PanelCore.h"

kern_return_t PanelCore::Start(IOService * provider)
{
    return provider == nullptr ? kIOReturnBadArgument : kIOReturnSuccess;
}
`,
    standIn: `#pragma once
#include <DriverKit/OSObject.h>

class IOService : public OSObject {
public:
    virtual kern_return_t Start(IOService *) { return kIOReturnSuccess; }
};
`,
  });
});
