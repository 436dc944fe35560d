// DR18-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { postedWriteProvesNothing } from "./posted-write-proves-nothing.ts";

test("DR18-1 fires: posted write's success proves nothing", async () => {
  await assertFires(
    postedWriteProvesNothing,
    {
      l: "kernel: (x.dext) INQUIRY data 00 00 00 00 00 00 at IOVA 0x801c0000\nfirmware: ReplyStatus 0, SCSIStatus 0",
    },
    /posted write's success proves nothing/,
  );
});

test("DR18-1 is silent on: kernel: (x.dext) INQUIRY data 00 00 05 12 1f 00 at IOVA 0x801c0000", async () => {
  await assertSilent(postedWriteProvesNothing, {
    l: "kernel: (x.dext) INQUIRY data 00 00 05 12 1f 00 at IOVA 0x801c0000\nfirmware: ReplyStatus 0",
  });
});

test("DR18-1 is silent on: kernel: (x.dext) INQUIRY data 00 00 00 00 00 00", async () => {
  await assertSilent(postedWriteProvesNothing, {
    l: "kernel: (x.dext) INQUIRY data 00 00 00 00 00 00\nfirmware: ReplyStatus 5",
  });
});
