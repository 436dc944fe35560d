// DR20-3: on iPadOS the app may not open this driver.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { perHit } from "../questions.ts";
import type { Rule } from "../rule.ts";

const noKey = watch(
  ["UC entitlement check failed, app does not have"],
  /DK: (\S{1,200}?)-0x([0-9a-f]{1,16}):UC entitlement check failed, app does not have (\S{1,200}) entitlement/,
);
const team = watch(
  ["UC failed team ID check"],
  /DK: (\S{1,200}?)-0x([0-9a-f]{1,16}):UC failed team ID check\. client team=(\S{0,32}), driver team=(\S{0,32})/,
);

export const ipadAppMayNotOpen: Rule = {
  id: "DR20-3",
  title: "On iPadOS the app may not open this driver",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient, iOS build",
  needs: ["log"],
  why: "On iPadOS only two things are consulted: the app's com.apple.developer.driverkit.communicates-with-drivers, and then that both have the same team or that the driver allows third-party user clients. userclient-access plays no part there.",
  fix: [
    "Give the app com.apple.developer.driverkit.communicates-with-drivers = true.",
    "Sign app and driver with the same team, or give the driver com.apple.developer.driverkit.allow-third-party-userclients = true.",
  ],
  who: "you",
  states: refused("the app may not open it"),
  watches: [noKey, team],
  judge(evidence) {
    return [
      ...perHit(evidence, noKey, ({ match }) => ({
        score: 96,
        claim: `The app that opened ${match[1]} does not hold ${match[3]}.`,
        about: [match[1], `0x${match[2]}`],
      })),
      ...perHit(evidence, team, ({ match }) => ({
        score: 96,
        claim: `App (team ${match[3] || "none"}) and driver ${match[1]} (team ${match[4] || "none"}) belong to different teams.`,
        about: [match[1], `0x${match[2]}`],
      })),
    ];
  },
};
