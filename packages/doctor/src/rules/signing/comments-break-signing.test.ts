// DR04-5: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { commentsBreakSigning } from "./comments-break-signing.ts";

test("DR04-5 fires: hold an XML comment", async () => {
  await assertFires(
    commentsBreakSigning,
    { e: "<plist><dict>\n<!-- vendor -->\n<key>com.apple.developer.driverkit</key><true/>\n</dict></plist>" },
    /hold an XML comment/,
    "hint",
  );
});

test("DR04-5 fires: near line 5", async () => {
  await assertFires(
    commentsBreakSigning,
    { l: "codesign: AMFIUnserializeXML: syntax error near line 5" },
    /near line 5/,
  );
});

test("DR04-5 is silent on a near miss", async () => {
  await assertSilent(commentsBreakSigning, { e: plist({ "com.apple.developer.driverkit": true }) });
});
