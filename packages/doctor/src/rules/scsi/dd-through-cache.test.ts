// DR19-5: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { ddThroughCache } from "./dd-through-cache.ts";

test("DR19-5 fires: the buffered node, and read back from it", async () => {
  await assertFires(
    ddThroughCache,
    { t: "dd if=pattern of=/dev/disk5 bs=1m\ndd if=/dev/disk5 bs=1m count=1 | xxd" },
    /the buffered node, and read back from it/,
  );
});

test("DR19-5 fires: writing alone is a hint", async () => {
  await assertFires(ddThroughCache, { t: "sudo dd if=image of=/dev/disk4" }, /buffered node/, "hint");
});

test("DR19-5 is silent on: dd if=pattern of=/dev/rdisk5", async () => {
  await assertSilent(ddThroughCache, { t: "dd if=pattern of=/dev/rdisk5\ndd if=/dev/rdisk5" });
});
