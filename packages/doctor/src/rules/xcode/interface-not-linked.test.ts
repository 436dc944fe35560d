// FX-LINK: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { interfaceNotLinked } from "./interface-not-linked.ts";

test("FX-LINK fires: the .iig is in no target, as ld and as Xcode's navigator say it", async () => {
  await assertFires(
    interfaceNotLinked,
    {
      l: `Undefined symbols for architecture arm64:
  "LampDriver::_Dispatch(LampDriver*, IORPC)", referenced from:
      LampChild::_Dispatch(LampChild*, IORPC) in LampChild.iig.o
ld: symbol(s) not found for architecture arm64`,
    },
    /LampDriver\.iig is not linked/,
  );
  await assertFires(
    interfaceNotLinked,
    { l: "Undefined symbol: LampDriver::_Dispatch(LampDriver*, IORPC)" },
    /LampDriver\.iig is not linked/,
  );
});

test("FX-LINK fires: a class of Apple's, whose framework is not linked", async () => {
  await assertFires(
    interfaceNotLinked,
    { l: '  "IOUserUSBHostHIDDevice::_Dispatch(IOUserUSBHostHIDDevice*, IORPC)", referenced from:' },
    /IOUserUSBHostHIDDevice is Apple's, and its framework/,
  );
});

test("FX-LINK fires: a method that was declared and not written", async () => {
  await assertFires(
    interfaceNotLinked,
    {
      l: '  "LampDriver::ReadComplete_Impl(OSAction*, int, unsigned int, unsigned long long)", referenced from:',
    },
    /declares ReadComplete, and nobody implements it/,
  );
});

test("FX-LINK is silent: frames of a crash, and what is written in a source", async () => {
  await assertSilent(interfaceNotLinked, {
    l: "0   net.sample.lamp  0x1048 LampDriver::_Dispatch(LampDriver*, IORPC) + 84",
  });
  await assertSilent(interfaceNotLinked, { l: "kern_return_t LampDriver::Start_Impl(IOService * provider)" });
});
