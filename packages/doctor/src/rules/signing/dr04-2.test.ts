// DR04-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { dr04x2 } from "./dr04-2.ts";

const usb = "com.apple.developer.driverkit.transport.usb";

test("DR04-2 fires", async () => {
  await assertFires(
    dr04x2,
    {
      p: plist({ TeamIdentifier: ["ABCDE12345"], Entitlements: { [usb]: [{ idVendor: "*" }] } }),
      e: plist({ [usb]: [{ idVendor: 1356 }] }),
    },
    /claims idVendor 1356 \(0x54c\)/,
  );
});

test("DR04-2 is silent on a near miss", async () => {
  await assertSilent(dr04x2, {
    p: plist({ TeamIdentifier: ["ABCDE12345"], Entitlements: { [usb]: [{ idVendor: 1356 }] } }),
    e: plist({ [usb]: [{ idVendor: 1356 }] }),
  });
});

test("DR04-2 is silent on a near miss (2)", async () => {
  await assertSilent(dr04x2, {
    p: plist({ TeamIdentifier: ["ABCDE12345"], Entitlements: { [usb]: [{ idVendor: "*" }] } }),
    e: plist({ [usb]: [{ idVendor: "*" }] }),
  });
});

test("DR04-2 is silent on a near miss (3): the profile of another driver", async () => {
  const id = "com.apple.application-identifier";
  await assertSilent(dr04x2, {
    p: plist({
      TeamIdentifier: ["ABCDE12345"],
      Entitlements: { [id]: "ABCDE12345.org.example.other", [usb]: [{ idVendor: "*" }] },
    }),
    e: plist({ [id]: "ABCDE12345.org.example.driver", [usb]: [{ idVendor: 1356 }] }),
  });
});
