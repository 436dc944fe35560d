// DR13-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { ipadWithoutMChip } from "./ipad-without-m-chip.ts";

test("DR13-3 fires: iPad13,18 has no M chip", async () => {
  await assertFires(
    ipadWithoutMChip,
    { q: "Hardware Model: iPad13,18\nThe dext is not shown in Settings. DriverKit 22." },
    /iPad13,18 has no M chip/,
  );
});

test("DR13-3 is silent on: iPad13,4 with a dext", async () => {
  await assertSilent(ipadWithoutMChip, { q: "iPad13,4 with a dext" });
});

test("DR13-3 is silent on a near miss: newer than the table", async () => {
  await assertSilent(ipadWithoutMChip, { q: "iPad21,1 with a dext" });
});

test("DR13-3 is silent on a near miss: nothing about drivers", async () => {
  await assertSilent(ipadWithoutMChip, { q: "iPad13,18" });
});
