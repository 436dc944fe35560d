// DR07-3: where each USB device of a registry dump reaches programs, and what can close that exit.

import { watch } from "../../evidence/watch.ts";
import type { RegistryEntry } from "../../facts/registry-entry.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const goal = watch(
  ["block", "prevent", "deny", "restrict", "allowlist", "whitelist", "USB policy"],
  /\b(?:block|prevent|deny|restrict|allowlist|whitelist|policy)\w*\b[^\n]{0,120}\bUSB\b|\bUSB\b[^\n]{0,120}\b(?:block|prevent|deny|restrict|allowlist|whitelist|policy)\w*\b/i,
);

/** Class of an entry below the device -> the exit it is, and the mechanism that covers it (posts.md P07). */
const exits: readonly (readonly [RegExp, string, string])[] = [
  [
    /^IOMedia$/,
    "disk node",
    "Disk Arbitration's approval or AUTH_MOUNT; raw reads by root: AUTH_OPEN on the node",
  ],
  [/^IOSerialBSDClient$/, "serial node", "AUTH_OPEN on the node"],
  [/^(?:IOAudioEngine|IOUserAudio\w*|AppleUSBAudio\w*)$/, "audio device", "device capture"],
  [
    /^(?:IOEthernetInterface|IONetworkInterface|IOUserNetwork\w*|IOSkywalk\w*Interface)$/,
    "network interface",
    "device capture; MDM",
  ],
  [
    /^(?:IOHIDEventService|IOHIDInterface|AppleUserHIDEventDriver|IOHIDEventDriver)$/,
    "input events",
    "device capture; exempt the keyboard in use",
  ],
  [/UserClient$/, "user client", "AUTH_IOKIT_OPEN, by device from macOS 26 on; device capture"],
];

export const usbExits: Rule = {
  id: "DR07-3",
  title: "Where a USB device reaches programs, and what can close each exit",
  severity: "note",
  certainty: "established",
  source: "Apple Developer Forums threads 800824, 763001 and 767105",
  needs: ["registry dump", "text"],
  why: "USB functionality leaves the kernel at several places: user clients of the device and of each interface, and nodes and services of other families. No single event covers them all, so a policy needs one mechanism for each exit that a device really has.",
  fix: [
    "Decide by descriptors, then close each exit that the device has by its own mechanism.",
    "Rehearse the rules: drydock policy FILE --against CAPTURE says what got through before each decision.",
  ],
  who: "you",
  watches: [goal],
  judge(evidence) {
    if (spoken(evidence, goal).length === 0) return [];
    const entries = evidence.facts("registry-entry").map(({ value }) => value);
    return entries.filter(isDevice).flatMap((device): Finding[] => {
      const below = entries.filter(
        (entry) => [...entry.parents].reverse().find(isDevice) === device && entry !== device,
      );
      const found = exits.flatMap(([pattern, exit, mechanism]) => {
        const ways = below.filter(({ className }) => pattern.test(className));
        return ways.length === 0 ? [] : [{ exit, mechanism, ways }];
      });
      if (found.length === 0) return [];
      return [
        {
          score: 58,
          claim: `${device.name} leaves the kernel by ${found.map(({ exit, ways, mechanism }) => `${exit} (${nodesOf(ways)}): ${mechanism}`).join("; ")}.`,
          because: [
            device.placeOf("idVendor"),
            ...found.slice(0, 3).map(({ ways }) => ways[0].placeOf("IOClass")),
          ],
          about: [device.name],
        },
      ];
    });
  },
};

function isDevice({ className, properties }: RegistryEntry): boolean {
  return className === "IOUSBHostDevice" || ("idVendor" in properties && "bDeviceClass" in properties);
}

/** Nodes by their name in /dev, others by class. */
function nodesOf(ways: readonly RegistryEntry[]): string {
  const names = ways.map(({ className, properties }) => {
    const node = properties["BSD Name"] ?? properties.IOCalloutDevice;
    return typeof node === "string" ? node : className;
  });
  return [...new Set(names)].join(", ");
}
