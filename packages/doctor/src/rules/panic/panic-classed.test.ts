// FX-PANIC: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicClassed } from "./panic-classed.ts";

test("FX-PANIC fires: a crash loop of a driver extension", async () => {
  await assertFires(
    panicClassed,
    {
      p: `panic(cpu 1 caller 0xfffffe0012345678): Driver IOUserServer(com.apple.DriverKit-AppleUSBSLCOM-0x1000a) has crashed too many times
Debugger message: panic
`,
    },
    /AppleUSBSLCOM crashed in a loop/,
  );
});

test("FX-PANIC fires: a watchdog names the service", async () => {
  await assertFires(
    panicClassed,
    {
      p: `panic(cpu 1 caller 0xfffffe0012345678): userspace watchdog timeout: no successful checkins from opendirectoryd in 180 seconds
service: logd, x
`,
    },
    /opendirectoryd hung for 180 s.*watchdog/,
  );
});

test("FX-PANIC fires: a disk that is off the bus", async () => {
  await assertFires(
    panicClassed,
    {
      p: `panic(cpu 1 caller 0xfffffe0012345678): nvme: "3rd party NVMe controller. Loss of MMIO space. Write. fBuiltIn=1 MODEL=DISK 9 FW=1 CSTS=0xffffffff US[1]=0x0"
`,
    },
    /answered all ones.*off the bus/,
  );
});

test("FX-PANIC fires: a first line that no class knows is a hint, and says nothing of a backtrace that is not there", async () => {
  await assertFires(
    panicClassed,
    {
      p: `panic(cpu 1 caller 0xfffffe0012345678): Some new text nobody knows
Debugger message: panic
`,
    },
    /nobody knows; whose code was on the stack cannot be told/,
    "hint",
  );
});

for (const [what, behind] of [
  ["ends in its backtrace", ""],
  ["goes on behind it", "last started kext at 1234: com.apple.filesystems.autofs\t3.0\n"],
] as const)
  test(`FX-PANIC fires: an unknown first line, and a report that ${what}`, async () => {
    await assertFires(
      panicClassed,
      {
        p: `panic(cpu 1 caller 0xfffffe0012345678): Some new text nobody knows
Debugger message: panic
Panicked thread: 0xfffffe1b2c3d4e5f, backtrace: 0xfffffe2000000000, tid: 99
\t\t  lr: 0xfffffe0011112222  fp: 0xfffffe2000000010
${behind}`,
      },
      behind === "" ? /the backtrace is not here, or it is cut off/ : /no kernel extension of another vendor/,
      "hint",
    );
  });

test("FX-PANIC is silent: a panic that has a rule of its own", async () => {
  await assertSilent(panicClassed, {
    p: `panic(cpu 1 caller 0xfffffe0012345678): IOUserService::setPowerState(0xfffffe1 : 0xfffffe2, 0 -> 2) timed out after 21257 ms @IOServicePM.cpp:5609
`,
  });
});

test("FX-PANIC is silent: no panic report", async () => {
  await assertSilent(panicClassed, { p: "Panicked is a word in a log" });
});

// Callers of panic() often quote their words (public reports of Apple silicon with Thunderbolt).
test("FX-PANIC fires: a quoted text of the PCIe bridge has its class, and no number is cut", async () => {
  await assertFires(
    panicClassed,
    {
      p: `panic(cpu 4 caller 0xfffffe0021a3b2c4): "apciec[pcic1-bridge]::handleInterrupt: Request address is greater than 32 bits linksts=0x99000001 pcielint=0x02220060 linkcdmsts=0x00000000"
Debugger message: panic
`,
    },
    /PCIe bridge of the machine reported an error .*greater than 32 bits\)\.$/,
  );
});
