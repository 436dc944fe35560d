// NT-807791: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { ntx807791 } from "./nt-807791.ts";

test("NT-807791 fires", async () => {
  await assertFires(
    ntx807791,
    { q: "Everything below is fine, files above 128 MB are corrupted" },
    /declared DMA constraints/,
  );
});

test("NT-807791 is silent on a near miss", async () => {
  await assertSilent(ntx807791, { q: "a corrupt file; the disk has 128 GB" });
});
