// NT-814055: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { activationRefused } from "./activation-refused.ts";

test("NT-814055 fires: did not pass validation", async () => {
  await assertFires(
    activationRefused,
    { l: 'request failed: Error Domain=OSSystemExtensionErrorDomain Code=9 "(null)"' },
    /did not pass validation/,
  );
});

test("NT-814055 fires: Swift's form", async () => {
  await assertFires(
    activationRefused,
    { l: "The operation couldn't be completed. (OSSystemExtensionErrorDomain error 4.)" },
    /holds no extension of that id/,
  );
});

test("NT-814055 is silent on: see OSSystemExtensionErrorDomain in the documentation", async () => {
  await assertSilent(activationRefused, { l: "see OSSystemExtensionErrorDomain in the documentation" });
});
