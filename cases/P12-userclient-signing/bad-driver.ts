// P12, wrong: the app claims the driver's id; Apple's approved list in the profile holds the app's own id.

import { signingKeys } from "@drydock/doctor/signing/rehearsal";
import { sampleApp, sampleDriver, samplePart } from "../signing-sample.ts";

const driver = { "com.apple.developer.driverkit": true };
const claims = { [signingKeys.install]: true, [signingKeys.access]: [sampleDriver] };

export const badPackages = {
  dext: samplePart("dext", driver, driver),
  app: samplePart("app", claims, { ...claims, [signingKeys.access]: [sampleApp] }),
};
