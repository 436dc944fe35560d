// FX-MISTYPED: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { codeMistyped } from "./code-mistyped.ts";

test("FX-MISTYPED fires: one digit of a decimal", async () => {
  await assertFires(
    codeMistyped,
    { l: "Could not open device. (code -546870203)" },
    /probably -536870203 was meant, kIOReturnExclusiveAccess/,
    "hint",
  );
});

test("FX-MISTYPED fires: a zero is missing", async () => {
  await assertFires(
    codeMistyped,
    { l: "open failed with error 0xe0002c5" },
    /probably 0xe00002c5 was meant/,
    "hint",
  );
});

test("FX-MISTYPED is silent: a code that is one", async () => {
  await assertSilent(codeMistyped, { l: "open failed with error -536870203" });
});

test("FX-MISTYPED is silent: a number that is near none", async () => {
  await assertSilent(codeMistyped, { l: "status -512000000 bytes" });
});
