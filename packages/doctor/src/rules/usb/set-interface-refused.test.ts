// FX-SET-INTERFACE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { setInterfaceRefused } from "./set-interface-refused.ts";

test("FX-SET-INTERFACE fires: DriverKit's call", async () => {
  await assertFires(
    setInterfaceRefused,
    { l: "SelectAlternateSetting(0) returned 0xe0005000" },
    /SET_INTERFACE was refused/,
  );
});

test("FX-SET-INTERFACE is silent: another code", async () => {
  await assertSilent(setInterfaceRefused, { l: "SelectAlternateSetting(1) returned 0xe00002ed" });
});
