// P12: the build fails because the profile has another value for userclient-access than the claim.

import { formatPlist } from "@drydock/core/platform/evidence/plist-text";
import type { ProvisioningProfile } from "@drydock/doctor/facts/provisioning-profile";
import type { CaseRun, DriverCase, Side } from "../driver-case.ts";
import { describeRehearsal, profileFile, rehearseSample, signedFiles } from "../signing-sample.ts";
import { badPackages } from "./bad-driver.ts";
import { goodPackages } from "./good-driver.ts";

async function run(side: Side): Promise<CaseRun> {
  const packages = side === "bad" ? badPackages : goodPackages;
  const rehearsal = rehearseSample(packages);
  const built = rehearsal.stoppedAt !== "build";
  return {
    succeeded: rehearsal.stoppedAt === null,
    result: describeRehearsal(rehearsal),
    trace: null,
    log: [],
    // No app comes out of a build that fails: its entitlements file, its profile and Xcode's words are what there is.
    evidence: [
      ...signedFiles(packages.dext),
      ...(built
        ? signedFiles(packages.app)
        : [
            { name: "Sample.entitlements", text: formatPlist(packages.app.claims) },
            {
              name: "embedded.provisionprofile",
              bytes: profileFile(packages.app.profile as ProvisioningProfile),
            },
            {
              name: "build.txt",
              text: rehearsal.verdicts
                .flatMap(({ lines }) => lines.map((line) => `error: ${line}`))
                .join("\n"),
            },
          ]),
    ],
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
