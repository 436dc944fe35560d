// DR20-1: a sample that fires it, and a near miss that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { noAccessKey } from "./no-access-key.ts";

const line =
  "DK: SampleUserClient-0x10000ad6a:UC failed userclient-access check, needed bundle ID org.example.sample.driver";

test("DR20-1 fires: needs one that names org.example.sample.driver", async () => {
  await assertFires(
    noAccessKey,
    {
      "console.txt": `2025-10-01 12:00:00.001250+0000 0x3e8      Default     0x0                  0      0    kernel: (org.example.sample.driver.dext) ${line}\n`,
    },
    /needs one that names org\.example\.sample\.driver/,
  );
  await assertFires(
    noAccessKey,
    { "post.md": `> ${line}\r\n` },
    /SampleUserClient has no userclient-access key/,
  );
});

test("DR20-1 is silent when only the second line is there", async () => {
  await assertSilent(noAccessKey, {
    "console.txt": "kernel: (x.dext) DK: SampleUserClient-0x10000ad6a:UC entitlements check failed",
  });
});
