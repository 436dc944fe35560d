// DR20-2: the app's userclient-access value does not name the driver.

import { watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { isApples } from "../questions.ts";
import { entryWithId, servicesOfBundle } from "../registry-joins.ts";
import type { Finding, Rule } from "../rule.ts";

const refused = watch(
  ["UC entitlements check failed"],
  /DK: (\S{1,200}?)-0x([0-9a-f]{1,16}):UC entitlements check failed/,
);
const needed = watch(
  ["UC failed userclient-access check"],
  /DK: \S{1,200}?-0x([0-9a-f]{1,16}):UC failed userclient-access check/,
);
const ipad = watch(
  ["UC entitlement check failed", "UC failed team ID check"],
  /-0x([0-9a-f]{1,16}):UC (?:entitlement check failed|failed team ID check)/,
);

export const accessValueDiffers: Rule = {
  id: "DR20-2",
  title: "The app's userclient-access value does not name the driver",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient",
  needs: ["log"],
  why: 'The kernel prints only "UC entitlements check failed" when the key is there but no element equals the CFBundleIdentifier property of the service (which comes from the personality), or when the user client\'s own IOServiceDEXTEntitlements is not held. A missing key would have printed the needed bundle id first (macOS 13 and later).',
  fix: [
    "Compare the app's com.apple.developer.driverkit.userclient-access, element by element, with CFBundleIdentifier of the service in ioreg: the driver's id, not the app's, one string per element.",
    "If the driver's user client has IOServiceDEXTEntitlements, give the app that entitlement too.",
  ],
  who: "you",
  states: refusedClaim("the kernel did not let it be opened"),
  watches: [refused, needed, ipad],
  judge(evidence) {
    const explained = new Set([...evidence.hits(needed), ...evidence.hits(ipad)].map((hit) => hit.match[1]));
    return evidence.hits(refused).flatMap(({ match, row, place }): Finding[] => {
      if (explained.has(match[2])) return [];
      const sender = row.sender.replace(/\.dext$/, "");
      // The id is the user client's: what the app has to name is the property of the service above it.
      const service =
        entryWithId(evidence, Number.parseInt(match[2], 16))?.value.parents.at(-1) ??
        servicesOfBundle(evidence, sender)[0]?.value;
      const property = service?.properties.CFBundleIdentifier;
      const expected = typeof property === "string" ? property : sender;
      if (isApples(expected) || /^Apple[A-Z]/.test(match[1]))
        return [
          {
            score: 80,
            claim: `The app opened ${match[1]}, which belongs to Apple's own driver${expected === "" ? "" : ` ${expected}`}, and was refused.`,
            because: [place],
            about: [match[1], `0x${match[2]}`],
            why: "Apple's drivers admit Apple's programs; nobody else gets an entitlement for them. The app's search found the wrong service, or its own driver does not run and Apple's has the device.",
            fix: [
              "Find the service by its class name, or by its CFBundleIdentifier property: compare it before you open.",
              "See in ioreg -l -w0 whether your own driver attached to the device at all.",
            ],
          },
        ];
      return [
        {
          score: 88,
          claim: `The app that opened ${match[1]} has a userclient-access key, but none of its values is ${expected === "" ? "the driver's bundle id" : expected}.`,
          because: [place, ...(service === undefined ? [] : [service.placeOf("CFBundleIdentifier")])],
          about: [match[1], `0x${match[2]}`, ...(expected === "" ? [] : [expected])],
          missing: [
            "the app's entitlements",
            ...(service === undefined ? ["CFBundleIdentifier of the service in ioreg -l -w0"] : []),
          ],
        },
      ];
    });
  },
};
