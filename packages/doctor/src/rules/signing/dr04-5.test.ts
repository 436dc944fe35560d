// DR04-5: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { dr04x5 } from "./dr04-5.ts";

test("DR04-5 fires", async () => {
  await assertFires(
    dr04x5,
    { e: "<plist><dict>\n<!-- vendor -->\n<key>com.apple.developer.driverkit</key><true/>\n</dict></plist>" },
    /hold an XML comment/,
    "hint",
  );
});

test("DR04-5 fires (2)", async () => {
  await assertFires(dr04x5, { l: "codesign: AMFIUnserializeXML: syntax error near line 5" }, /near line 5/);
});

test("DR04-5 is silent on a near miss", async () => {
  await assertSilent(dr04x5, { e: plist({ "com.apple.developer.driverkit": true }) });
});
