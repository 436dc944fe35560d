// NT-806336: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { ntx806336 } from "./nt-806336.ts";

test("NT-806336 fires", async () => {
  await assertFires(
    ntx806336,
    { q: "Our capability request for UserClient Access was denied as unnecessary for local testing" },
    /development does not need it/,
  );
});

test("NT-806336 is silent on a near miss", async () => {
  await assertSilent(ntx806336, { q: "Our capability request was approved" });
});
