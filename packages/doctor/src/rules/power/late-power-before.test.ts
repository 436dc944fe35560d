// DR15-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { latePowerBefore } from "./late-power-before.ts";

test("DR15-4 fires: IOUserService did not acknowledge", async () => {
  await assertFires(
    latePowerBefore,
    {
      i: '+-o Drv  <class IOUserService, id 0x1, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "IOPMTardyAckSetPowerState" = Yes\n  }\n',
    },
    /IOUserService did not acknowledge/,
  );
});

test("DR15-4 is silent on: +-o Drv  <class IOUserService, id 0x1, registered, matched, active, busy 0 (0 ms", async () => {
  await assertSilent(latePowerBefore, {
    i: '+-o Drv  <class IOUserService, id 0x1, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "IOPMTardyAckSetPowerState" = No\n  }\n',
  });
});
