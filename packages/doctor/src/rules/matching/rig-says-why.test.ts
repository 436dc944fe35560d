// FX-RIG: the lines as a rig writes them, and near misses of other writers.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { rigSaysWhy } from "./rig-says-why.ts";

const interfaceAt = "Root/AppleUSBXHCI@00000000/Loopback@00100000/IOUSBHostInterface@0";

for (const [what, line, claim] of [
  [
    "a Start that failed, with the driver's words",
    `Refuses (personality Why of org.example.why) does not run on ${interfaceAt}: Start failed with 0xe00002f0: start: no thermometer`,
    /Refuses matched and does not run: Start failed .*no thermometer/,
  ],
  [
    "a class that the bundle lacks",
    `Misspelt (personality Why of org.example.why) does not run on ${interfaceAt}: the bundle has no class Misspelt; it has: Refuses`,
    /Misspelt matched and does not run: the bundle has no class Misspelt/,
  ],
  [
    "a provider class that does not exist",
    "personality Meter of org.example.meter matches nothing: there is no provider class IOUSBHostInterfce; IOUSBHostInterface is meant, perhaps",
    /personality Meter does not match: there is no provider class IOUSBHostInterfce/,
  ],
  [
    "a key that differs",
    `personality Meter of org.example.meter does not match ${interfaceAt}: idProduct is 2 (0x0002), wanted 9 (0x0009)`,
    /personality Meter does not match: idProduct is 2/,
  ],
  [
    "super.start forgotten",
    "NoSuper (org.example.why): Start returned without super.start(provider); a real IOService needs it",
    /NoSuper overrides Start and does not call its superclass/,
  ],
  [
    "super.stop forgotten",
    "Clings (org.example.why) was stopped and has not called super.stop(provider): it keeps Root/TestNub",
    /Clings does not call super\.stop/,
  ],
  [
    "a refusal that nobody awaited",
    "org.example.floats (Floats::Start_Impl): IOUSBHostInterface.deviceRequest on Root/Loopback@00100000 failed with kUSBHostReturnPipeStalled (0xe0005000) at 178.498 ms: 0 bytes transferred; nobody awaited this call",
    /ignores the result of IOUSBHostInterface\.deviceRequest, which was kUSBHostReturnPipeStalled/,
  ],
  [
    "bytes that a close gave up",
    "IOSerialBSDClient: usbserial-1: closed with 4096 bytes unsent: the line took nothing for 30 s",
    /usbserial-1 was closed with 4096 bytes unsent/,
  ],
  [
    "a setting that the driver refused",
    "IOSerialBSDClient: usbserial-1: HwProgramUART of FtdiDriver-0x100000a07 failed with 0xe00002c2: hwProgramUART: 5 data bits",
    /FtdiDriver-0x100000a07 refused HwProgramUART for usbserial-1 \(0xe00002c2: hwProgramUART: 5 data bits\)/,
  ],
] as const) {
  test(`FX-RIG fires on ${what}`, async () => {
    await assertFires(rigSaysWhy, { "rig.log": `2025-10-01 12:00:08.997 E  drydock[0:3e8] ${line}` }, claim);
  });
}

test("FX-RIG is silent on other people's sentences", async () => {
  await assertSilent(rigSaysWhy, {
    "notes.txt": "The driver does not run on my Mac. Start returned without an error.",
  });
});
