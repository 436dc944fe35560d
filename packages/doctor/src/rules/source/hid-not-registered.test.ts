// FX-HID-REGISTER: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { hidNotRegistered } from "./hid-not-registered.ts";

test("FX-HID-REGISTER fires: VirtualGamepad::newDeviceDescription answers a description without RegisterService", async () => {
  await assertFires(
    hidNotRegistered,
    {
      driver: `OSDictionary * VirtualGamepad::newDeviceDescription()
{
    OSDictionary * description = OSDictionary::withCapacity(4);
    OSNumber * vendor = OSNumber::withNumber(0x1209, 32);
    description->setObject("VendorID", vendor);
    OSSafeReleaseNULL(vendor);
    return description;
}
`,
    },
    /VirtualGamepad::newDeviceDescription answers a description without RegisterService/,
  );
});

test("FX-HID-REGISTER is silent on the corrected source", async () => {
  await assertSilent(hidNotRegistered, {
    driver: `OSDictionary * VirtualGamepad::newDeviceDescription()
{
    OSDictionary * description = OSDictionary::withCapacity(4);
    OSNumber * vendor = OSNumber::withNumber(0x1209, 32);
    description->setObject("VendorID", vendor);
    OSSafeReleaseNULL(vendor);
    description->setObject("RegisterService", kOSBooleanTrue);
    return description;
}
`,
  });
});
