// DR20-1: the kernel's "needed bundle ID" line: the app that opened a user client has no userclient-access key.

import { watch } from "../../evidence/watch.ts";
import { servicesOfBundle } from "../registry-joins.ts";
import type { Rule } from "../rule.ts";

const neededBundleId = watch(
  ["UC failed userclient-access check"],
  /DK: (\S{1,200}?)-0x([0-9a-f]{1,16}):UC failed userclient-access check, needed bundle ID ?(\S{0,255})/,
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
  watches: [neededBundleId],
  judge(evidence) {
    return evidence.hits(neededBundleId).map(({ place, match }) => ({
      score: 96,
      claim:
        match[3] === ""
          ? `The service behind ${match[1]} has no CFBundleIdentifier property, so no app can be allowed to open it.`
          : `The app that opened ${match[1]} has no userclient-access key; it needs one that names ${match[3]}.`,
      because: [
        place,
        ...servicesOfBundle(evidence, match[3])
          .slice(0, 2)
          .map((service) => service.value.placeOf("CFBundleIdentifier")),
      ],
      about: [match[1], `0x${match[2]}`, match[3]],
    }));
  },
};
