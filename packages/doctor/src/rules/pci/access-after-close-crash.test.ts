// DR14-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { crashOf } from "../../test/samples.ts";
import { accessAfterCloseCrash } from "./access-after-close-crash.ts";

test("DR14-4 fires: mapping 1: the device had been closed", async () => {
  await assertFires(
    accessAfterCloseCrash,
    {
      c: crashOf({
        type: "EXC_BAD_ACCESS",
        subtype: "KERN_INVALID_ADDRESS at 0x0000000000000008",
        frames: ["PCIDriverKit IOPCIDevice::MemoryRead32(unsigned char)", "Sample SampleDriver::Poll()"],
      }),
    },
    /mapping 1: the device had been closed/,
  );
});

test("DR14-4 is silent on a near miss", async () => {
  await assertSilent(accessAfterCloseCrash, {
    c: crashOf({
      type: "EXC_BAD_ACCESS",
      subtype: "KERN_INVALID_ADDRESS at 0x0000000000000008",
      frames: ["Sample SampleDriver::Poll()"],
    }),
  });
});
