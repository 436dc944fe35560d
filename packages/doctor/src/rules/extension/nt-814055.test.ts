// NT-814055: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { ntx814055 } from "./nt-814055.ts";

test("NT-814055 fires", async () => {
  await assertFires(
    ntx814055,
    { l: 'request failed: Error Domain=OSSystemExtensionErrorDomain Code=9 "(null)"' },
    /did not pass validation/,
  );
});

test("NT-814055 fires: Swift's form", async () => {
  await assertFires(
    ntx814055,
    { l: "The operation couldn't be completed. (OSSystemExtensionErrorDomain error 4.)" },
    /holds no extension of that id/,
  );
});

test("NT-814055 is silent on a near miss", async () => {
  await assertSilent(ntx814055, { l: "see OSSystemExtensionErrorDomain in the documentation" });
});
