// DR17-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { filteredByBundleId } from "./filtered-by-bundle-id.ts";

test("DR17-2 fires: filtered for org.example.sample.driver", async () => {
  await assertFires(
    filteredByBundleId,
    {
      t: 'log show --last 5m | grep "org.example.sample.driver"',
      l: "kernel: (org.example.sample.driver.dext) StaticPing",
    },
    /filtered for org\.example\.sample\.driver/,
    "hint",
  );
});

test("DR17-2 fires where lines of the kernel are seen that such a filter does not show", async () => {
  await assertFires(
    filteredByBundleId,
    {
      t: 'log show --last 5m | grep "org.example.sample.driver"',
      l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: StaticPing 17",
    },
    /1 lines of the kernel without that text or a sender/,
  );
});

test("DR17-2 is a hint where no log is: a page that gives the command", async () => {
  await assertFires(
    filteredByBundleId,
    { "README.md": 'Look at the log: `log show --last 5m | grep "org.example.sample.driver"`' },
    /filtered for org\.example\.sample\.driver/,
    "hint",
  );
});

test("DR17-2 is silent on: log show --last 5m --predicate 'eventMessage CONTAINS 'StaticPing''", async () => {
  await assertSilent(filteredByBundleId, {
    t: "log show --last 5m --predicate 'eventMessage CONTAINS \"StaticPing\"'",
  });
});

test("DR17-2 is silent on: log show --last 5m | grep 'panic'", async () => {
  await assertSilent(filteredByBundleId, { t: 'log show --last 5m | grep "panic"' });
});
