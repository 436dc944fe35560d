// DR15-1: samples for each budget, and a near miss that is no expiry.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { powerNotAcknowledged } from "./power-not-acknowledged.ts";

const panic = (text: string) =>
  `{"bug_type":"210","timestamp":"2025-10-01 12:00:00.00 +0000","os_version":"macOS 15.6 (24G84)","incident_id":"X"}\n${JSON.stringify(
    {
      product: "Mac15,14",
      panicString: `panic(cpu 3 caller 0xfffffe0012345678): ${text}\nDebugger message: panic\nOS version: 24G84\n`,
    },
    null,
    2,
  )}\n`;

test("DR15-1 fires on a dext's 20 s", async () => {
  await assertFires(
    powerNotAcknowledged,
    {
      "a.bin": panic(
        "IOUserService::setPowerState(0xfffffe2a00000000 : 0xfffffe0012345678, 2 -> 0) timed out after 20114 ms @IOServicePM.cpp:5609",
      ),
    },
    /going down.*flush|dext's 20 s.*going down/,
  );
});

test("DR15-1 fires on the floor of a kernel driver, without an address in the middle", async () => {
  await assertFires(
    powerNotAcknowledged,
    {
      "b.panic":
        'panic(cpu 2 caller 0xffffff8012345678): "SomeReader::setPowerState(0xffffff8000000000, 0 -> 1) timed out after 10168 ms"@/x/IOServicePM.cpp:5302',
    },
    /10 s that a kernel driver/,
  );
});

test("DR15-1 is silent on a transition that took long and ended", async () => {
  await assertSilent(powerNotAcknowledged, {
    "log.txt": "IOUserService::setPowerState(0x1 : 0x2, 2 -> 0) took 19870 ms",
  });
});
