// P05, right: the same claim without comments.

import { samplePart } from "../signing-sample.ts";
import { commentedDriver } from "./bad-driver.ts";

export const plainDriver = samplePart("dext", commentedDriver.claims, commentedDriver.claims, {
  bundleIdentifier: commentedDriver.bundleIdentifier,
});
