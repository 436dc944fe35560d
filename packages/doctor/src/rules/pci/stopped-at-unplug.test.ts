// DR14-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicOf, plist } from "../../test/samples.ts";
import { stoppedAtUnplug } from "./stopped-at-unplug.ts";

const dext = plist({
  CFBundleIdentifier: "org.example.hba",
  IOKitPersonalities: { Hba: { IOProviderClass: "IOPCIDevice", IOUserClass: "ExampleHba" } },
});

test("DR14-2 fires: while ExampleHba drives a PCI device", async () => {
  await assertFires(
    stoppedAtUnplug,
    {
      p: panicOf("apcie[0]: unexpected completion timeout"),
      q: "It panics when I unplug the Thunderbolt cable.",
      i: dext,
    },
    /while ExampleHba drives a PCI device/,
  );
});

test("DR14-2 is silent on a near miss", async () => {
  await assertSilent(stoppedAtUnplug, { p: panicOf("apcie[0]: unexpected completion timeout"), i: dext });
});

test("DR14-2 is silent on a near miss: another rule's panic", async () => {
  await assertSilent(stoppedAtUnplug, {
    p: panicOf("LLC Bus error (Unavailable) from cpu0: FAR=0x1 addr=0x1 cmd=0x18(X:"),
    q: "unplug",
    i: dext,
  });
});
