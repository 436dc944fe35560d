// FX-HID-OPEN: a program was not allowed to open a HID device, or somebody has it.

import type { Evidence } from "../../evidence/evidence.ts";
import { type Hit, watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

/** The words of IOHIDLib, hidapi and their users. */
export const hidWords =
  /\b(?:IOHIDDevice(?:Open)?|IOHIDManager(?:Open)?|hid_open(?:_path)?|hidapi|hid\.HIDException|HIDException|WebHID|hidutil|IOHIDLib\w*)\b/;
const opening = watch(
  ["IOHIDDevice", "IOHIDManager", "hid_open", "hidapi", "HIDException", "IOHIDLib"],
  hidWords,
);
const refused = watch(
  [
    "e00002e2",
    "-536870174",
    "3758097122",
    "kIOReturnNotPermitted",
    "not permitted",
    "e00002c1",
    "kIOReturnNotPrivileged",
    "-536870207",
    "e00002c5",
    "-536870203",
    "kIOReturnExclusiveAccess",
  ],
  /(e00002e2|-536870174|3758097122|kIOReturnNotPermitted|not permitted)|(e00002c1|-536870207|kIOReturnNotPrivileged)|(e00002c5|-536870203|kIOReturnExclusiveAccess)/i,
);
const near = 4;

/** Lines about a HID device that is opened by a program, with the code in the same line or a few lines away. */
export function hidRefusals(evidence: Evidence): Hit[] {
  const opens = spoken(evidence, opening);
  return spoken(evidence, refused).filter(
    (hit) =>
      hidWords.test(hit.place.text) ||
      opens.some(
        ({ place }) => place.file === hit.place.file && Math.abs(place.line - hit.place.line) <= near,
      ),
  );
}

export const hidNotAllowed: Rule = {
  id: "FX-HID-OPEN",
  title: "A program was not allowed to open a HID device",
  severity: "error",
  certainty: "established",
  source:
    "Apple, IOHIDCheckAccess and IOHIDRequestAccess; App Sandbox entitlement com.apple.security.device.usb",
  needs: ["log"],
  why: "IOHIDDeviceOpen asks the sandbox and the user's privacy settings, not a driver extension: DriverKit has no part in it. A keyboard or a mouse is given to a program only after the user has allowed Input Monitoring; a sandboxed program needs com.apple.security.device.usb for any device.",
  fix: [
    "Ask with IOHIDCheckAccess(kIOHIDRequestTypeListenEvent) and IOHIDRequestAccess, and let the user switch the program on in System Settings, Privacy & Security, Input Monitoring; for a tool in a terminal it is the terminal that is allowed.",
    "In the App Sandbox add com.apple.security.device.usb (or .bluetooth for Bluetooth devices) to the program's entitlements.",
  ],
  who: "the developer of the program",
  states: refusedClaim("opening the HID device"),
  watches: [opening, refused],
  judge(evidence) {
    const hits = hidRefusals(evidence);
    const [first] = hits;
    if (first === undefined) return [];
    const because = hits.slice(0, 3).map(({ place }) => place);
    if (first.match[3] !== undefined)
      return [
        {
          score: 78,
          claim:
            "Another program has the HID device open and has seized it (kIOReturnExclusiveAccess of IOHIDDeviceOpen).",
          because,
          about: ["IOHIDDeviceOpen"],
          why: "A program that opens with kIOHIDOptionsTypeSeizeDevice keeps all others out: remappers of keyboards, password fields, virtual machines.",
          fix: [
            "Quit that program, or open without kIOHIDOptionsTypeSeizeDevice; IOUserClientCreator in ioreg -l -w0 names who has it.",
          ],
        } satisfies Finding,
      ];
    return [
      {
        score: 80,
        claim: `The program was not allowed to open the HID device (IOHIDDeviceOpen, ${first.match[2] === undefined ? "kIOReturnNotPermitted" : "kIOReturnNotPrivileged"}): Input Monitoring for a keyboard or mouse, or the sandbox's key.`,
        because,
        about: ["IOHIDDeviceOpen"],
      },
    ];
  },
};
