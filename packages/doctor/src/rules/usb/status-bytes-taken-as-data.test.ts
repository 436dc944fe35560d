// DR13-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { captureOf } from "../../test/samples.ts";
import { statusBytesTakenAsData } from "./status-bytes-taken-as-data.ts";

test("DR13-4 fires: once per transfer", async () => {
  await assertFires(
    statusBytesTakenAsData,
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

test("DR13-4 fires: again and again", async () => {
  await assertFires(
    statusBytesTakenAsData,
    { t: "rx: 01 60 41 42 43\nrx: 01 60 01 60 01 60 44" },
    /again and again/,
  );
});

test("DR13-4 fires (3)", async () => {
  await assertFires(
    statusBytesTakenAsData,
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
  await assertSilent(statusBytesTakenAsData, {
    t: "it comes back corrupt",
    c: captureOf([1, 2, 3].map(() => ({ endpoint: 0x81, kind: 3 as const, data: [...Array(128).keys()] }))),
  });
});

test("DR13-4 is silent on: rx: 01 60 41", async () => {
  await assertSilent(statusBytesTakenAsData, { t: "rx: 01 60 41" });
});
