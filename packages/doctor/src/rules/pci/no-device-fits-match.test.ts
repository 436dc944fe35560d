// NT-795835: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { noDeviceFitsMatch } from "./no-device-fits-match.ts";

const nub =
  '+-o gpu@0  <class IOPCIDevice, id 0x100000412, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "vendor-id" = <de100000>\n    "device-id" = <04270000>\n  }\n';
const list = (match: string) =>
  plist({
    CFBundleIdentifier: "org.example.gpu",
    IOKitPersonalities: {
      Gpu: { IOProviderClass: "IOPCIDevice", IOUserClass: "ExampleGpu", IOPCIMatch: match },
    },
  });

test("NT-795835 fires: is read as 0x000010de under 0xffffffff, and none of the 1 PCI devices", async () => {
  await assertFires(
    noDeviceFitsMatch,
    { r: nub, i: list("0x000010de&0xFFFFFFFF") },
    /is read as 0x000010de under 0xffffffff, and none of the 1 PCI devices/,
  );
});

test("NT-795835 fires: the entitlement", async () => {
  await assertFires(
    noDeviceFitsMatch,
    {
      r: nub,
      e: plist({
        "com.apple.developer.driverkit.transport.pci": [{ IOPCIPrimaryMatch: "0x1234&0x0000FFFF" }],
      }),
    },
    /The entitlement's IOPCIPrimaryMatch/,
  );
});

test("NT-795835 is silent on a near miss", async () => {
  await assertSilent(noDeviceFitsMatch, { r: nub, i: list("0x000010de&0x0000FFFF") });
});

test("NT-795835 is silent on a near miss (2)", async () => {
  await assertSilent(noDeviceFitsMatch, { r: nub, i: list("0x00001002&0x0000FFFF 270410de") });
});

test("NT-795835 is silent on a near miss: no registry", async () => {
  await assertSilent(noDeviceFitsMatch, { i: list("0x4098") });
});
