// P12: the build fails because the profile has another value for userclient-access than the claim.

import type { CaseRun, DriverCase, Side } from "../casebook.ts";
import { describeRehearsal, rehearseSample } from "../signing-sample.ts";
import { badPackages } from "./bad-driver.ts";
import { goodPackages } from "./good-driver.ts";

async function run(side: Side): Promise<CaseRun> {
  const rehearsal = rehearseSample(side === "bad" ? badPackages : goodPackages);
  return {
    succeeded: rehearsal.stoppedAt === null,
    result: describeRehearsal(rehearsal),
    trace: null,
    log: [],
  };
}

export const userClientSigningCase: DriverCase = {
  id: "P12",
  title: "The profile does not match the entitlements file's value for userclient-access",
  symptom:
    "As soon as userclient-access is in the app's entitlements the build fails, although the portal shows Communicates with Drivers.",
  cause:
    "The profile holds the list that Apple approved for the team, and it is not the one in the entitlements file; Communicates with Drivers is for iPadOS.",
  describeRequests: [],
  run,
};
