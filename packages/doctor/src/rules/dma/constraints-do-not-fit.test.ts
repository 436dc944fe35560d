// NT-807791: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { constraintsDoNotFit } from "./constraints-do-not-fit.ts";

test("NT-807791 fires: declared DMA constraints", async () => {
  await assertFires(
    constraintsDoNotFit,
    { q: "Everything below is fine, files above 128 MB are corrupted" },
    /declared DMA constraints/,
  );
});

test("NT-807791 is silent on: a corrupt file; the disk has 128 GB", async () => {
  await assertSilent(constraintsDoNotFit, { q: "a corrupt file; the disk has 128 GB" });
});
