// P12, right: for distribution claim = approved list = the driver's id; for development allow-any on the driver.

import { signingKeys } from "@drydock/doctor/signing/rehearsal";
import { sampleDriver, samplePart } from "../signing-sample.ts";

const driver = { "com.apple.developer.driverkit": true };
const claims = { [signingKeys.install]: true, [signingKeys.access]: [sampleDriver] };

export const goodPackages = {
  dext: samplePart("dext", driver, driver),
  app: samplePart("app", claims, claims),
};

const openDriver = { ...driver, [signingKeys.allowAny]: true };
const plainApp = { [signingKeys.install]: true };

/** Before Apple has approved anything. */
export const goodDevelopmentPackages = {
  dext: samplePart("dext", openDriver, openDriver),
  app: samplePart("app", plainApp, plainApp),
};
