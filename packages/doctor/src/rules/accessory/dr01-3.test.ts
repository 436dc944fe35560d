// DR01-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr01x3 } from "./dr01-3.ts";

test("DR01-3 fires", async () => {
  await assertFires(
    dr01x3,
    { q: "We are MFi licensed. Where is the current iAP2 sample code for iOS?" },
    /not public/,
  );
});

test("DR01-3 is silent on a near miss", async () => {
  await assertSilent(dr01x3, { q: "The iAP2 connector is broken. Our accessory speaks com.example.data." });
});
