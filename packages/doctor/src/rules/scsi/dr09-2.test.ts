// DR09-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr09x2 } from "./dr09-2.ts";

test("DR09-2 fires: in words", async () => {
  await assertFires(
    dr09x2,
    { a: "On USB 2 it works; over UAS the CDB is on the bus and no payload data is transferred." },
    /either the device never asks/,
  );
});

test("DR09-2 is silent: data moved", async () => {
  await assertSilent(dr09x2, { a: "UAS driver started, data transferred" });
});
