// FX-HELD: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { interfaceHeld } from "./interface-held.ts";

test("FX-HELD fires: libusb's words", async () => {
  await assertFires(
    interfaceHeld,
    {
      l: "libusb: info [darwin_claim_interface] USBInterfaceOpen: another process has device opened for exclusive access",
    },
    /kIOReturnExclusiveAccess of USBInterfaceOpen: another client/,
  );
});

test("FX-HELD fires: pyusb's words", async () => {
  await assertFires(
    interfaceHeld,
    { l: "usb.core.USBError: [Errno 13] Access denied (insufficient permissions)" },
    /another client/,
  );
});

test("FX-HELD is silent: a device that the program itself has not opened", async () => {
  await assertSilent(interfaceHeld, {
    l: "libusb: error [darwin_reenumerate_device] USBDeviceReEnumerate: device not opened for exclusive access",
  });
});

test("FX-HELD is silent: a file", async () => {
  await assertSilent(interfaceHeld, { l: "the file is opened for exclusive use" });
});
