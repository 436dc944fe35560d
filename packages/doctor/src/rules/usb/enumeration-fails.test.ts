// FX-ENUMERATE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { enumerationFails } from "./enumeration-fails.ts";

test("FX-ENUMERATE fires: the port gives up", async () => {
  await assertFires(
    enumerationFails,
    {
      d: "[1.000000]: AppleUSB30XHCIPort@02100000: AppleUSBHostPort::disconnect: persistent enumeration failures",
    },
    /device at 02100000 does not get through enumeration/,
  );
});

test("FX-ENUMERATE fires: the same in the words of Linux", async () => {
  await assertFires(
    enumerationFails,
    { d: "usb 1-4: device descriptor read/64, error -71" },
    /device at 1-4 does not get through enumeration/,
  );
});

test("FX-ENUMERATE is silent: a device that came up", async () => {
  await assertSilent(enumerationFails, {
    d: "AppleUSB20XHCIPort@14300000: AppleUSBHostPort::createDevice: device created",
  });
});

test("FX-ENUMERATE fires: a port of Apple silicon, by its number", async () => {
  await assertFires(
    enumerationFails,
    {
      d: "kernel: usb-drd1-port-hs@01100000: AppleUSBHostPort::createDevice: failed to create device (0xe00002ed)",
    },
    /device at 01100000 does not get through enumeration/,
  );
});
