// DR13-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { captureOf } from "../../test/samples.ts";
import { dr13x4 } from "./dr13-4.ts";

test("DR13-4 fires", async () => {
  await assertFires(
    dr13x4,
    {
      t: "it comes back corrupt",
      c: captureOf(
        [1, 2, 3].map(() => ({
          endpoint: 0x81,
          kind: 3 as const,
          data: [...Array(128).keys()].map((at) => (at % 64 === 0 ? 1 : at % 64 === 1 ? 0x60 : at)),
        })),
      ),
    },
    /once per transfer/,
  );
});

test("DR13-4 fires (2)", async () => {
  await assertFires(dr13x4, { t: "rx: 01 60 41 42 43\nrx: 01 60 01 60 01 60 44" }, /again and again/);
});

test("DR13-4 fires (3)", async () => {
  await assertFires(
    dr13x4,
    {
      c: captureOf(
        [1, 2, 3].map(() => ({
          endpoint: 0x81,
          kind: 3 as const,
          data: [...Array(128).keys()].map((at) => (at % 64 < 2 ? 1 - (at % 64) : at)),
        })),
      ),
    },
    /once per transfer/,
    "hint",
  );
});

test("DR13-4 is silent on a near miss", async () => {
  await assertSilent(dr13x4, {
    t: "it comes back corrupt",
    c: captureOf([1, 2, 3].map(() => ({ endpoint: 0x81, kind: 3 as const, data: [...Array(128).keys()] }))),
  });
});

test("DR13-4 is silent on a near miss (2)", async () => {
  await assertSilent(dr13x4, { t: "rx: 01 60 41" });
});
