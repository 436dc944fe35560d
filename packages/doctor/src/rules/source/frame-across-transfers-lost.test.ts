// DR10-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { frameAcrossTransfersLost } from "./frame-across-transfers-lost.ts";

test("DR10-3 fires: keeps nothing for the next", async () => {
  await assertFires(
    frameAcrossTransfersLost,
    {
      driver: `// Receive side of the AX88772: a header of four bytes, then the frame.
void EthernetDriver::ReadComplete(OSAction * action, IOReturn status, uint32_t actualByteCount, uint64_t timestamp)
{
    uint8_t * at = ivars->rxBytes;
    uint32_t left = actualByteCount;
    while (left >= 4) {
        uint16_t length = at[0] | at[1] << 8;
        uint16_t check = at[2] | at[3] << 8;
        if ((length ^ check) != 0xffff || left < 4u + length) break;
        Deliver(at + 4, length);
        at += 4 + length;
        left -= 4 + length;
    }
}
`,
    },
    /keeps nothing for the next/,
  );
});

test("DR10-3 is silent on the corrected source", async () => {
  await assertSilent(frameAcrossTransfersLost, {
    driver: `// Receive side of the AX88772: a header of four bytes, then the frame.
void EthernetDriver::ReadComplete(OSAction * action, IOReturn status, uint32_t actualByteCount, uint64_t timestamp)
{
    uint8_t * at = ivars->rxBytes;
    uint32_t left = actualByteCount;
    while (left > 0) {
        uint32_t taken = ivars->partial.take(at, left);
        at += taken;
        left -= taken;
        if (!ivars->partial.isWhole()) break;
        if ((ivars->partial.length ^ ivars->partial.check) != 0xffff) ivars->partial.resynchronise();
        else Deliver(ivars->partial.frame, ivars->partial.length);
    }
}
`,
  });
});
