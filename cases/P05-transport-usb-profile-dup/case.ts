// P05: the second posting of P04; its entitlements file has XML comments, which matter when codesign is run by hand.

import { signingKeys } from "@drydock/doctor/signing/rehearsal";
import type { CaseRun, DriverCase, Side } from "../driver-case.ts";
import { describeRehearsal, rehearseSample, samplePart, signedFiles } from "../signing-sample.ts";
import { commentedDriver, commentedEntitlements } from "./bad-driver.ts";
import { plainDriver } from "./good-driver.ts";

const appClaims = { [signingKeys.install]: true, [signingKeys.access]: [plainDriver.bundleIdentifier] };

async function run(side: Side): Promise<CaseRun> {
  const dext = side === "bad" ? commentedDriver : plainDriver;
  const rehearsal = rehearseSample({
    tool: "codesign",
    app: samplePart("app", appClaims, appClaims, { bundleIdentifier: "org.drydock.p05.app" }),
    dext,
  });
  // What signing and starting printed, as far as it went.
  const printed = rehearsal.verdicts.flatMap(({ lines }) => lines).join("\n");
  return {
    succeeded: rehearsal.stoppedAt === null,
    result: describeRehearsal(rehearsal),
    trace: null,
    log: [],
    evidence: [
      ...signedFiles(dext, side === "bad" ? { readableEntitlements: commentedEntitlements } : {}),
      { name: "codesign.txt", text: printed },
    ],
  };
}

export const transportUsbCommentsCase: DriverCase = {
  id: "P05",
  title: "driverkit.transport.usb, with comments in the entitlements",
  symptom:
    "The same refusal as P04, posted again; the entitlements file explains the vendor id in an XML comment.",
  cause:
    "As P04; in addition a comment survives signing by hand, and the strict parser of the signature's entitlements refuses it (likely).",
  describeRequests: [],
  run,
};
