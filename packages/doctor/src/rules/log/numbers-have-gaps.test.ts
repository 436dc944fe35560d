// DR17-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { numbersHaveGaps } from "./numbers-have-gaps.ts";

test("DR17-3 fires: 3 numbered messages are missing: 4..6", async () => {
  await assertFires(
    numbersHaveGaps,
    {
      l: "kernel: (org.example.x.dext) event seq=1\nkernel: (org.example.x.dext) event seq=2\nkernel: (org.example.x.dext) event seq=3\nkernel: (org.example.x.dext) event seq=7\nkernel: (org.example.x.dext) event seq=8",
    },
    /3 numbered messages are missing: 4\.\.6/,
  );
});

test("DR17-3 is silent on: kernel: (org.example.x.dext) event seq=1", async () => {
  await assertSilent(numbersHaveGaps, {
    l: "kernel: (org.example.x.dext) event seq=1\nkernel: (org.example.x.dext) event seq=2\nkernel: (org.example.x.dext) event seq=3\nkernel: (org.example.x.dext) event seq=4",
  });
});
