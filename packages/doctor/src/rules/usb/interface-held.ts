// FX-HELD: a program cannot take a USB device or interface, because somebody has it open.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const held = watch(
  [
    ...["opened for exclusive access", "exclusive access", "kIOReturnExclusiveAccess", "LIBUSB_ERROR_ACCESS"],
    ...[
      "exclusively",
      "Resource busy",
      "LIBUSB_ERROR_BUSY",
      "USBInterfaceOpen",
      "USBDeviceOpen",
      "Access denied (insufficient permissions)",
    ],
  ],
  /(USBInterfaceOpen|USBDeviceOpen(?:Seize)?|darwin_(?:claim_interface|open)|IOUSBHost\w*|AppleUSBHost\w*|claim(?:ing|ed)?[ _]interface|LIBUSB_ERROR_(?:ACCESS|BUSY)|libusb\w*|usb\.core\.USBError)\b.{0,200}?(?:another process has device opened for exclusive access|(?<!not opened for )exclusive access|exclusively|e00002c5|-536870203|kIOReturnExclusiveAccess|Resource busy|Access denied \(insufficient permissions\)|LIBUSB_ERROR_(?:ACCESS|BUSY))|(LIBUSB_ERROR_(?:ACCESS|BUSY))|another process has device opened for exclusive access/i,
);
const capture = watch(
  ["capture entitlements", "com.apple.vm.device-access", "device capture requires"],
  /no capture entitlements|device capture requires|com\.apple\.vm\.device-access/,
);
/** libusb's words for rights and for "taken" are the same on Linux, where the reasons are others. */
function claimOf(text: string, call: string | undefined): string {
  const what = /device/i.test(call ?? text) ? "device" : "interface";
  const isMac = /exclusive|e00002c5|-536870203|darwin_|IOUSB|AppleUSB/i.test(text) || call !== undefined;
  if (isMac)
    return `kIOReturnExclusiveAccess${call === undefined ? "" : ` of ${call}`}: another client, most likely a driver of the system, has the ${/device/i.test(call ?? "") ? "device" : "interface"}; who it is, ioreg says.`;
  return /Access denied|ERROR_ACCESS/.test(text)
    ? `The program may not open the ${what}: on macOS another client, most likely a driver of the system, has it; on Linux the rights of its node in /dev/bus/usb (a udev rule) are missing.`
    : `The ${what} is taken: another client, most likely the system's own driver, has claimed it.`;
}

/** A driver extension's own trouble with its provider is told by the code of its call. */
const fromDriver = /\.dext$/;

export const interfaceHeld: Rule = {
  id: "FX-HELD",
  title: "A USB device or interface is held by another client",
  severity: "error",
  certainty: "established",
  source:
    "libusb's and IOUSBHostFamily's messages; kIOReturnExclusiveAccess of USBInterfaceOpen and USBDeviceOpen",
  needs: ["log"],
  why: "kIOReturnExclusiveAccess (0xe00002c5) of an open says that another client has it: most likely a driver of the system that matched the interface, or another program. Taking it away from a driver needs root, or com.apple.vm.device-access, which Apple gives to makers of virtual machines; libusb calls that capture.",
  fix: [
    "See who has it: ioreg -l -w0 shows the driver below the interface, and IOUserClientCreator names a program.",
    "Close the other program, or run yours as root so that the kernel's driver is detached (libusb: detach_kernel_driver).",
    "For a product of your own: a driver extension that matches the interface better than the system's, or the entitlement com.apple.vm.device-access if you make virtual machines.",
  ],
  who: "the developer of the program",
  states: refused("exclusive access"),
  watches: [held, capture],
  judge(evidence) {
    const captures = spoken(evidence, capture);
    const found = spoken(evidence, held).filter(({ row }) => !fromDriver.test(row.sender));
    const [first] = found;
    if (first === undefined) return [];
    const call = /USB(?:Interface|Device)Open(?:Seize)?/.exec(first.place.text)?.[0];
    return [
      {
        score: 84,
        claim: claimOf(first.place.text, call),
        because: [...found.slice(0, 3), ...captures.slice(0, 2)].map(({ place }) => place),
        about: call === undefined ? [] : [call],
        missing: ["ioreg -l -w0 while the device is plugged in: who is below the interface"],
      } satisfies Finding,
    ];
  },
};
