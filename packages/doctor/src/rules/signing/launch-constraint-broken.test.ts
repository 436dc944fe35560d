// FX-CONSTRAINT: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { launchConstraintBroken } from "./launch-constraint-broken.ts";

test("FX-CONSTRAINT fires: the kernel names it", async () => {
  await assertFires(
    launchConstraintBroken,
    {
      l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: AMFI: Launch Constraint Violation (enforcing), error info: c[1]p[1]m[1]e[0], (Constraint not matched) launching proc[vc: 1 pid: 740]: /Applications/Helper",
    },
    /launch constraint was broken/,
  );
});

test("FX-CONSTRAINT is silent: the words alone", async () => {
  await assertSilent(launchConstraintBroken, { l: "set the constraint before launch" });
});
