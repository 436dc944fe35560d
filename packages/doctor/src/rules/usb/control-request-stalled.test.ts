// DR02-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { captureOf } from "../../test/samples.ts";
import { controlRequestStalled } from "./control-request-stalled.ts";

test("DR02-1 fires: answered STALL", async () => {
  await assertFires(
    controlRequestStalled,
    { l: "kernel: (a.dext) DeviceRequest failed 0xe0005000, 0 bytes" },
    /answered STALL/,
  );
});

test("DR02-1 fires: seven zero bytes", async () => {
  await assertFires(
    controlRequestStalled,
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

test("DR02-1 fires: parity 255", async () => {
  await assertFires(
    controlRequestStalled,
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

test("DR02-1 is silent on: kernel: (a.dext) DeviceRequest failed 0xe00002d6", async () => {
  await assertSilent(controlRequestStalled, { l: "kernel: (a.dext) DeviceRequest failed 0xe00002d6" });
});

test("DR02-1 is silent on a near miss (2)", async () => {
  await assertSilent(controlRequestStalled, {
    c: captureOf([
      { endpoint: 0, kind: 2, setup: [0x21, 0x20, 0, 0, 0, 0, 7, 0], data: [0, 0xc2, 1, 0, 0, 0, 8] },
      { endpoint: 0x80, kind: 2, setup: [0x80, 6, 0, 6, 0, 0, 10, 0], status: -32 },
    ]),
  });
});
