// DR03-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { crashOf } from "../../test/samples.ts";
import { filesOf, frameworkPath, sampleDext, sampleDextId } from "../../test/signed-samples.ts";
import { symbolMissing } from "./symbol-missing.ts";

const method = "IOUserSCSIParallelInterfaceController::UserProcessBundledParallelTasks";
const crash = (library: string) =>
  crashOf({
    type: "EXC_CRASH",
    frames: ["dyld start"],
    header: { os_version: "macOS 15.3 (24D60)", bundleID: sampleDextId },
    information: [
      `Symbol not found: ${method}`,
      `Expected in: <5C9A9C2E-7A55-4C7E-9D2B-2F6F0F3A1B10> ${library}`,
    ],
  });

test("DR03-1 fires: on macOS 15.3  ... UserProcessBundledParallelTasks, which came with macOS 15.4.$", async () => {
  const files = { c: crash(frameworkPath("SCSIControllerDriverKit")) };
  await assertFires(
    symbolMissing,
    files,
    /on macOS 15\.3 .*UserProcessBundledParallelTasks, which came with macOS 15\.4\.$/,
  );
});

test("DR03-1 joins the crash with the driver's executable", async () => {
  const binary = sampleDext({
    executable: {
      minimumOS: "24.0",
      sdk: "24.4",
      dylibs: [frameworkPath("SCSIControllerDriverKit")],
      imports: [
        {
          symbol: "__ZN37IOUserSCSIParallelInterfaceController31UserProcessBundledParallelTasksEv",
          dylib: 0,
        },
        { symbol: "__ZN37IOUserSCSIParallelInterfaceController24UserInitializeControllerEv", dylib: 0 },
      ],
    },
  });
  await assertFires(
    symbolMissing,
    { c: crash(frameworkPath("SCSIControllerDriverKit")), ...filesOf(binary) },
    /built with SDK 24\.4 for 24\.0 and later; 1 of its 2 imports are newer than this system/,
  );
});

test("DR03-1 is silent on a near miss", async () => {
  const app = crashOf({
    type: "EXC_CRASH",
    frames: ["dyld start"],
    path: "/Applications/Sample.app/Contents/MacOS/Sample",
    information: ["Symbol not found: _newFunction", "Expected in: /usr/lib/libSystem.B.dylib"],
  });
  await assertSilent(symbolMissing, { c: app });
});
