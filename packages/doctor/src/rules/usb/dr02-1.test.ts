// DR02-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { captureOf } from "../../test/samples.ts";
import { dr02x1 } from "./dr02-1.ts";

test("DR02-1 fires", async () => {
  await assertFires(
    dr02x1,
    { l: "kernel: (a.dext) DeviceRequest failed 0xe0005000, 0 bytes" },
    /answered STALL/,
  );
});

test("DR02-1 fires (2)", async () => {
  await assertFires(
    dr02x1,
    {
      c: captureOf([
        {
          endpoint: 0,
          kind: 2,
          setup: [0x21, 0x20, 0, 0, 0, 0, 7, 0],
          data: [0, 0, 0, 0, 0, 0, 0],
          status: -32,
        },
      ]),
    },
    /seven zero bytes/,
  );
});

test("DR02-1 fires (3)", async () => {
  await assertFires(
    dr02x1,
    {
      c: captureOf([
        {
          endpoint: 0,
          kind: 2,
          setup: [0x21, 0x20, 0, 0, 0, 0, 7, 0],
          data: [0, 0xc2, 1, 0, 0, 0xff, 8],
          status: -32,
        },
      ]),
    },
    /parity 255/,
  );
});

test("DR02-1 is silent on a near miss", async () => {
  await assertSilent(dr02x1, { l: "kernel: (a.dext) DeviceRequest failed 0xe00002d6" });
});

test("DR02-1 is silent on a near miss (2)", async () => {
  await assertSilent(dr02x1, {
    c: captureOf([
      { endpoint: 0, kind: 2, setup: [0x21, 0x20, 0, 0, 0, 0, 7, 0], data: [0, 0xc2, 1, 0, 0, 0, 8] },
      { endpoint: 0x80, kind: 2, setup: [0x80, 6, 0, 6, 0, 0, 10, 0], status: -32 },
    ]),
  });
});
