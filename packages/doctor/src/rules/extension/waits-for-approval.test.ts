// FX-APPROVAL: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { waitsForApproval } from "./waits-for-approval.ts";

test("FX-APPROVAL fires: does not run until the user switches it on", async () => {
  await assertFires(
    waitsForApproval,
    { s: "1 extension(s)\n\t\tABCDE12345\torg.example.drv (1.0/1)\tdrv\t[activated waiting for user]\n" },
    /does not run until the user switches it on/,
  );
});

test("FX-APPROVAL is silent on: 1 extension(s)", async () => {
  await assertSilent(waitsForApproval, {
    s: "1 extension(s)\n*\t*\tABCDE12345\torg.example.drv (1.0/1)\tdrv\t[activated enabled]\n",
  });
});

test("FX-APPROVAL is silent: a later list of the same file says that it was switched on", async () => {
  const row = (state: string) =>
    `1 extension(s)\n*\t*\tABCDE12345\torg.example.drv (1.0/1)\tdrv\t[${state}]\n`;
  await assertSilent(waitsForApproval, {
    s: `${row("activated waiting for user")}${row("activated enabled")}`,
  });
});
