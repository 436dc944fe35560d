// IO-RETURN: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { crashOf } from "../../test/samples.ts";
import { codeFromACall } from "./code-from-a-call.ts";

test("IO-RETURN fires: IOServiceOpen answered kIOReturnUnsupported (0xe00002c7): the driver's NewUserClient gave ", async () => {
  await assertFires(
    codeFromACall,
    { l: "MyApp: IOServiceOpen of the dext failed: 0xe00002c7" },
    /IOServiceOpen answered kIOReturnUnsupported \(0xe00002c7\): the driver's NewUserClient gave an object/,
  );
});

test("IO-RETURN fires: signed", async () => {
  await assertFires(
    codeFromACall,
    { l: "kernel: (org.example.x.dext) AsyncIO returned -536870195" },
    /AsyncIO answered kIOReturnNotOpen/,
  );
});

test("IO-RETURN fires: by name", async () => {
  await assertFires(
    codeFromACall,
    { l: "kernel: (org.example.x.dext) Wakeup: kIOReturnNotFound" },
    /nobody sleeps on this event/,
  );
});

test("IO-RETURN fires: a code without a call is a hint", async () => {
  await assertFires(
    codeFromACall,
    { l: "it failed with 0xe00002bd" },
    /A call answered kIOReturnNoMemory/,
    "hint",
  );
});

test("IO-RETURN fires: Apple's own lines are hints", async () => {
  await assertFires(
    codeFromACall,
    {
      l: "2025-10-01 12:00:00.001250+0000 0x3e8      Error       0x0                  81     0    powerd: (IOKit) [com.apple.iokit:x] IOServiceOpen 0xe00002c5",
    },
    /IOServiceOpen answered kIOReturnExclusiveAccess/,
    "hint",
  );
});

test("IO-RETURN fires: outside of DriverKit it is a hint", async () => {
  await assertFires(
    codeFromACall,
    { l: "IOServiceOpen failed: 0xe00002e2\nfido_hid_open: IOHIDDeviceOpen" },
    /IOServiceOpen answered kIOReturnNotPermitted/,
    "hint",
  );
});

test("IO-RETURN fires: a crash", async () => {
  await assertFires(
    codeFromACall,
    {
      c: crashOf({
        type: "EXC_BAD_ACCESS",
        subtype: "KERN_PROTECTION_FAILURE at 0x0000000102000000",
        frames: ["Sample Sample::Write"],
      }),
    },
    /Sample::Write touched 0x102000000 and got KERN_PROTECTION_FAILURE: memory is mapped but access is not allowed/,
    "hint",
  );
});

test("IO-RETURN is silent on: IOServiceOpen: kIOReturnSuccess, connection 0xe00002001", async () => {
  await assertSilent(codeFromACall, { l: "IOServiceOpen: kIOReturnSuccess, connection 0xe00002001" });
});

test("IO-RETURN is silent on a near miss: source", async () => {
  await assertSilent(codeFromACall, {
    s: "#include <DriverKit/IOService.h>\nkern_return_t Foo::Bar(int a) {\n  return kIOReturnNotReady;\n}\n",
  });
});
