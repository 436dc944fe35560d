// FX-SENSE-LENGTH: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { tooMuchSense } from "./too-much-sense.ts";

test("FX-SENSE-LENGTH fires: 252 bytes of sense data", async () => {
  await assertFires(
    tooMuchSense,
    {
      driver: `kern_return_t DiskDriver::Send(SCSIType00OutParameters * command)
{
    command->fSenseLengthRequested = 252;
    return UserSendCDB(*command, &ivars->response);
}
`,
    },
    /252 bytes of sense data/,
  );
});

test("FX-SENSE-LENGTH is silent on the corrected source", async () => {
  await assertSilent(tooMuchSense, {
    driver: `kern_return_t DiskDriver::Send(SCSIType00OutParameters * command)
{
    command->fSenseLengthRequested = 18;
    return UserSendCDB(*command, &ivars->response);
}
`,
  });
});
