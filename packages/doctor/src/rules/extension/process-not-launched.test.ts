// FX-LAUNCH: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { processNotLaunched } from "./process-not-launched.ts";

test("FX-LAUNCH fires: errno 13", async () => {
  await assertFires(
    processNotLaunched,
    {
      l: `kernelmanagerd: Error launching dext org.example.pad: Error Domain=NSPOSIXErrorDomain Code=13 "Permission denied"`,
    },
    /org\.example\.pad could not be started: Permission denied \(POSIX 13\)/,
  );
});

test("FX-LAUNCH fires: the kernel's line", async () => {
  await assertFires(
    processNotLaunched,
    {
      l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: DK: PadDriver-0x100000abc failed to launch server",
    },
    /matching worked, launching did not/,
  );
});

test("FX-LAUNCH fires: no class named", async () => {
  await assertFires(
    processNotLaunched,
    {
      l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: DK: no IOUserClass defined for PadDriver",
    },
    /PadDriver: its personality has no IOUserClass/,
  );
});

test("FX-LAUNCH is silent: a launch that works", async () => {
  await assertSilent(processNotLaunched, {
    l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernelmanagerd: Launching dext org.example.pad",
  });
});
