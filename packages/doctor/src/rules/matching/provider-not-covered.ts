// FX-PROVIDER: the driver's transport or family entitlement does not cover this provider.

import { watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import { entryWithId } from "../registry-joins.ts";
import type { Finding, Rule } from "../rule.ts";

const refused = watch(
  ["entitlements check failed"],
  /DK: (\S{1,200}?)-0x([0-9a-f]{1,16}):? ?(provider|family) entitlements check failed/,
);

export const providerNotCovered: Rule = {
  id: "FX-PROVIDER",
  title: "The driver's transport or family entitlement does not cover this provider",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer::checkEntitlements",
  needs: ["log", "entitlements"],
  why: "A provider demands entitlements of the driver that attaches to it (its IOServiceDEXTEntitlements), and the value of the transport entitlement has to match this very device. The dext is started, told to exit, and its service never appears; no error reaches the app.",
  fix: [
    "Compare idVendor and idProduct, or the PCI match, in the driver's entitlements with this device's properties in ioreg.",
    "For a family entitlement: claim com.apple.developer.driverkit.family.NAME, and have it in the profile.",
  ],
  who: "you",
  states: refusedClaim("attaching to the provider"),
  watches: [refused],
  judge(evidence) {
    return spoken(evidence, refused).map(({ match, place, row }): Finding => {
      const entry = entryWithId(evidence, Number.parseInt(match[2], 16));
      const bundle = row.sender.replace(/\.dext$/, "");
      return {
        score: 94,
        claim: `${match[1]} may not attach to its ${match[3] === "family" ? "family" : "provider"}: the ${match[3] === "family" ? "family" : "transport"} entitlement of ${bundle === "" ? "its driver" : bundle} is missing or its value does not match this device.`,
        because: [place, ...(entry === null ? [] : [entry.place])],
        about: [match[1], `0x${match[2]}`, ...(bundle === "" ? [] : [bundle])],
        missing: ["the driver's signed entitlements", "ioreg -l -w0 of the device"],
      };
    });
  },
};
