// DR20-1: the kernel's "needed bundle ID" line: the app that opened a user client has no userclient-access key.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { isApples } from "../questions.ts";
import { servicesOfBundle } from "../registry-joins.ts";
import type { Finding, Rule } from "../rule.ts";

const neededBundleId = watch(
  ["UC failed userclient-access check"],
  /DK: (\S{1,200}?)-0x([0-9a-f]{1,16}):UC failed userclient-access check, needed bundle ID ?[*_`"']{0,3}([A-Za-z0-9](?:[\w.-]{0,253}[\w])?)?/,
);

export const noAccessKey: Rule = {
  id: "DR20-1",
  title: "The app that opened the driver carries no userclient-access key",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient; the line exists since macOS 13",
  needs: ["log"],
  why: "Without allow-any-userclient-access on the driver, the app itself must hold com.apple.developer.driverkit.userclient-access with the bundle id of the service. The kernel prints this line only when the running process has no such key at all (or the service has no bundle id); a wrong value is excluded.",
  fix: [
    "For development: tick DriverKit Allow Any UserClient (development) on the driver's App ID, in the ordinary Capabilities list, regenerate its profile, and put com.apple.developer.driverkit.allow-any-userclient-access into the driver's entitlements.",
    "For shipping: request DriverKit UserClient Access for the driver's bundle id, put com.apple.developer.driverkit.userclient-access with that id into the app's entitlements, and sign the app with the regenerated profile.",
  ],
  who: "you",
  states: refused("the kernel did not let it be opened"),
  watches: [neededBundleId],
  judge(evidence) {
    return evidence.hits(neededBundleId).map(({ place, match }): Finding => {
      const [, client, id, needed = ""] = match;
      const about = [client, `0x${id}`, needed];
      const because = [
        place,
        ...servicesOfBundle(evidence, needed)
          .slice(0, 2)
          .map((service) => service.value.placeOf("CFBundleIdentifier")),
      ];
      if (needed === "")
        return {
          score: 96,
          claim: `The service behind ${client} has no CFBundleIdentifier property, so no app can be allowed to open it.`,
          because,
          about: [client, `0x${id}`],
        };
      if (isApples(needed))
        return {
          score: 95,
          claim: `The app opened ${needed}, which is Apple's own driver (${client}), not a driver of yours.`,
          because,
          about,
          why: "The bundle id that the kernel wants is that of the service which was opened. Apple's drivers admit Apple's programs; nobody else gets an entitlement for them. Either the app's search takes the first IOUserService it meets (IOUserClass is no property that one can match by), or its own driver does not run and Apple's has the device.",
          fix: [
            "Find the service by its class name, or by its CFBundleIdentifier property: compare it before you open.",
            "See in ioreg -l -w0 whether your own driver attached to the device at all; if not, that is the thing to mend first.",
          ],
          missing: ["ioreg -l -w0 while the device is plugged in: which driver has it"],
        };
      return {
        score: 96,
        claim: `The app that opened ${client} has no userclient-access key; it needs one that names ${needed}.`,
        because,
        about,
      };
    });
  },
};
