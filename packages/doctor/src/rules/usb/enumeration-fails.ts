// FX-ENUMERATE: a device on a port does not get through enumeration.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const failing = watch(
  [
    "enumeration fail",
    "failed to enumerate",
    "failed to create device",
    "failed to address",
    "failed to set address",
    "unable to enumerate",
    "device descriptor read",
    "device not accepting address",
    "having trouble enumerating",
    "over-current",
    "overcurrent",
  ],
  /(?:(?:Apple\w*|IOUSBHost\w*|USB\w*)(?:Port|Hub)\w*@([0-9a-f]{6,8})|usb (\d+-[\d.]+)|USB [Pp]ort[^:]{0,40}|AppleUSBHostPort::|IOUSBFamily).{0,160}?(persistent enumeration fail\w*|enumeration fail\w*|having trouble enumerating|failed to (?:enumerate|create device|address|set address)\b|unable to enumerate USB device|device descriptor read\/\w+, error -?\d+|device not accepting address|over-?current)/i,
);

/** Apple silicon names its ports otherwise (`usb-drd1-port-hs@01100000`); the number is the same. */
const portBefore = /[\w-]*port[\w-]*@([0-9a-f]{6,8}): *$/i;

export const enumerationFails: Rule = {
  id: "FX-ENUMERATE",
  title: "A USB device does not get through enumeration",
  severity: "error",
  certainty: "established",
  source: "USB 2.0 section 9.1.2; the messages come from the host's port, before there is a device object",
  needs: ["log"],
  why: "The port sees that something is plugged in, and it does not answer the first requests (reset, address, descriptors). No driver is involved yet: there is no device that one could match. Firmware of the device (after sleep: its resume), the cable, a hub, the port, or the power they give are what is left.",
  fix: [
    "Plug the device directly into another port, with another cable, without a hub.",
    "Try another device in this port: if it works, it is the first one's firmware or power.",
    "After sleep only: look at the device's resume; a device that has to be re-plugged forgot its address.",
  ],
  who: "the device's maker",
  watches: [failing],
  judge(evidence) {
    const places = new Map<string, { count: number; finding: Finding }>();
    for (const { match, place } of spoken(evidence, failing)) {
      const where = match[1] ?? match[2] ?? portBefore.exec(match.input.slice(0, match.index))?.[1] ?? "";
      const before = places.get(where);
      if (before !== undefined) {
        before.count++;
        continue;
      }
      const isPower = /over-?current/i.test(match[3]);
      places.set(where, {
        count: 1,
        finding: {
          score: 86,
          claim: isPower
            ? `The port${where === "" ? "" : ` at ${where}`} switched off for too much current: the device, its cable or the hub draws more than the port gives.`
            : `The device${where === "" ? "" : ` at ${where}`} does not get through enumeration (${match[3]}): its firmware, cable, hub or port; no driver is involved yet.`,
          because: [place],
          about: where === "" ? [] : [where],
        },
      });
    }
    return [...places.values()].map(({ finding }) => finding);
  },
};
