// DR17-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { kernelLinesWithoutSubsystem } from "./kernel-lines-without-subsystem.ts";

test("DR17-4 fires: have none", async () => {
  await assertFires(
    kernelLinesWithoutSubsystem,
    { t: "log stream --predicate 'subsystem == \"com.apple.driverkit\"'" },
    /have none/,
  );
});

test("DR17-4 is silent on: log stream --predicate 'subsystem == 'org.example.app''", async () => {
  await assertSilent(kernelLinesWithoutSubsystem, {
    t: "log stream --predicate 'subsystem == \"org.example.app\"'",
  });
});
