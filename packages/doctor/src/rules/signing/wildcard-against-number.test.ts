// DR04-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { wildcardAgainstNumber } from "./wildcard-against-number.ts";

const usb = "com.apple.developer.driverkit.transport.usb";

test("DR04-2 fires: claims idVendor 1356 (0x54c)", async () => {
  await assertFires(
    wildcardAgainstNumber,
    {
      p: plist({ TeamIdentifier: ["ABCDE12345"], Entitlements: { [usb]: [{ idVendor: "*" }] } }),
      e: plist({ [usb]: [{ idVendor: 1356 }] }),
    },
    /claims idVendor 1356 \(0x54c\)/,
  );
});

test("DR04-2 is silent on a near miss", async () => {
  await assertSilent(wildcardAgainstNumber, {
    p: plist({ TeamIdentifier: ["ABCDE12345"], Entitlements: { [usb]: [{ idVendor: 1356 }] } }),
    e: plist({ [usb]: [{ idVendor: 1356 }] }),
  });
});

test("DR04-2 is silent on a near miss (2)", async () => {
  await assertSilent(wildcardAgainstNumber, {
    p: plist({ TeamIdentifier: ["ABCDE12345"], Entitlements: { [usb]: [{ idVendor: "*" }] } }),
    e: plist({ [usb]: [{ idVendor: "*" }] }),
  });
});

test("DR04-2 is silent on a near miss (3): the profile of another driver", async () => {
  const id = "com.apple.application-identifier";
  await assertSilent(wildcardAgainstNumber, {
    p: plist({
      TeamIdentifier: ["ABCDE12345"],
      Entitlements: { [id]: "ABCDE12345.org.example.other", [usb]: [{ idVendor: "*" }] },
    }),
    e: plist({ [id]: "ABCDE12345.org.example.driver", [usb]: [{ idVendor: 1356 }] }),
  });
});
