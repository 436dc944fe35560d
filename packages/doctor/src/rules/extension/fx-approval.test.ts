// FX-APPROVAL: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { fxxapproval } from "./fx-approval.ts";

test("FX-APPROVAL fires", async () => {
  await assertFires(
    fxxapproval,
    { s: "1 extension(s)\n\t\tABCDE12345\torg.example.drv (1.0/1)\tdrv\t[activated waiting for user]\n" },
    /does not run until the user switches it on/,
  );
});

test("FX-APPROVAL is silent on a near miss", async () => {
  await assertSilent(fxxapproval, {
    s: "1 extension(s)\n*\t*\tABCDE12345\torg.example.drv (1.0/1)\tdrv\t[activated enabled]\n",
  });
});
