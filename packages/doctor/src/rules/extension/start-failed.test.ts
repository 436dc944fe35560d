// FX-START-FAIL: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { startFailed } from "./start-failed.ts";

test("FX-START-FAIL fires: with the driver's own line", async () => {
  await assertFires(
    startFailed,
    {
      l: `2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: (org.example.pad.dext) pad: CopyPipe failed 0xe00002f0
2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: DK: PadDriver-0x1a::start(IOUSBHostInterface-0x2b) fail`,
    },
    /Start of PadDriver on IOUSBHostInterface failed; .*CopyPipe failed 0xe00002f0/,
  );
});

test("FX-START-FAIL is silent: a Start that worked", async () => {
  await assertSilent(startFailed, {
    l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: DK: PadDriver-0x1a::start(IOUSBHostInterface-0x2b) ok",
  });
});
