// NT-825971: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { idsJoinedAtOpen } from "./ids-joined-at-open.ts";

const key = "com.apple.developer.driverkit.userclient-access";

test("NT-825971 fires: several ids in one string", async () => {
  await assertFires(
    idsJoinedAtOpen,
    { l: "IOServiceOpen failed: 0xe00002bc", e: plist({ [key]: ["org.example.a\norg.example.b"] }) },
    /several ids in one string/,
  );
});

test("NT-825971 is silent on a near miss", async () => {
  await assertSilent(idsJoinedAtOpen, {
    l: "IOServiceOpen failed: 0xe00002bc",
    e: plist({ [key]: ["org.example.a"] }),
  });
});
