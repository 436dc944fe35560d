// DR02-6: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { subtractionWraps } from "./subtraction-wraps.ts";

test("DR02-6 fires: bCharFormat = stopBits - 2 wraps when stopBits is below 2", async () => {
  await assertFires(
    subtractionWraps,
    {
      driver: `kern_return_t MyUart::Program(LineCoding * coding, uint8_t stopBits, uint8_t parity)
{
    coding->bCharFormat = stopBits - 2;
    coding->bParityType = parity - 1;
    return ivars->Send(coding);
}
`,
    },
    /bCharFormat = stopBits - 2 wraps when stopBits is below 2/,
  );
});

test("DR02-6 is silent on the corrected source", async () => {
  await assertSilent(subtractionWraps, {
    driver: `kern_return_t MyUart::Program(LineCoding * coding, uint8_t stopBits, uint8_t parity)
{
    if (stopBits < 2 || stopBits > 4 || parity < 1 || parity > 5) return kIOReturnBadArgument;
    coding->bCharFormat = stopBits - 2;
    coding->bParityType = parity - 1;
    return ivars->Send(coding);
}
`,
  });
});
