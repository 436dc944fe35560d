// DR17-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { linesAreTheKernels } from "./lines-are-the-kernels.ts";

test("DR17-1 fires: how every driver extension logs", async () => {
  await assertFires(
    linesAreTheKernels,
    { l: "Why is the process kernel when this is user space?\nkernel: (org.example.x.dext) hello" },
    /how every driver extension logs/,
  );
});

test("DR17-1 is silent on: Why is the process kernel so busy?", async () => {
  await assertSilent(linesAreTheKernels, {
    l: "Why is the process kernel so busy?\nkernel: (AppleUSB) hello",
  });
});
