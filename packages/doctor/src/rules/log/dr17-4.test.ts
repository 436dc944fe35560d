// DR17-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr17x4 } from "./dr17-4.ts";

test("DR17-4 fires", async () => {
  await assertFires(
    dr17x4,
    { t: "log stream --predicate 'subsystem == \"com.apple.driverkit\"'" },
    /have none/,
  );
});

test("DR17-4 is silent on a near miss", async () => {
  await assertSilent(dr17x4, { t: "log stream --predicate 'subsystem == \"org.example.app\"'" });
});
