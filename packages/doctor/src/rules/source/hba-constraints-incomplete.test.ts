// DR18-4: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { hbaConstraintsIncomplete } from "./hba-constraints-incomplete.ts";

test("DR18-4 fires: without kIOMinimumHBADataAlignmentMaskKey", async () => {
  await assertFires(
    hbaConstraintsIncomplete,
    {
      driver: `kern_return_t IMPL(HbaDriver, UserInitializeController)
{
    OSDictionary * limits = OSDictionary::withCapacity(8);
    AddNumber(limits, kIOMaximumSegmentCountReadKey, 1);
    AddNumber(limits, kIOMaximumSegmentCountWriteKey, 1);
    AddNumber(limits, kIOMaximumSegmentByteCountReadKey, 1 << 20);
    AddNumber(limits, kIOMaximumSegmentByteCountWriteKey, 1 << 20);
    AddNumber(limits, kIOMinimumSegmentAlignmentByteCountKey, 4);
    AddNumber(limits, kIOMaximumSegmentAddressableBitCountKey, 32);
    return UserReportHBAConstraints(limits);
}
`,
    },
    /without kIOMinimumHBADataAlignmentMaskKey/,
  );
});

test("DR18-4 fires: after UserInitializeController returned", async () => {
  await assertFires(
    hbaConstraintsIncomplete,
    {
      driver: `kern_return_t IMPL(HbaDriver, UserStartController)
{
    return UserReportHBAConstraints(ivars->limits);
}
`,
    },
    /after UserInitializeController returned/,
  );
});

test("DR18-4 is silent on the corrected source", async () => {
  await assertSilent(hbaConstraintsIncomplete, {
    driver: `kern_return_t IMPL(HbaDriver, UserInitializeController)
{
    OSDictionary * limits = OSDictionary::withCapacity(8);
    AddNumber(limits, kIOMaximumSegmentCountReadKey, 1);
    AddNumber(limits, kIOMaximumSegmentCountWriteKey, 1);
    AddNumber(limits, kIOMaximumSegmentByteCountReadKey, 1 << 20);
    AddNumber(limits, kIOMaximumSegmentByteCountWriteKey, 1 << 20);
    AddNumber(limits, kIOMinimumSegmentAlignmentByteCountKey, 4);
    AddNumber(limits, kIOMaximumSegmentAddressableBitCountKey, 32);
    AddNumber(limits, kIOMinimumHBADataAlignmentMaskKey, 0xFFFFFFFC);
    return UserReportHBAConstraints(limits);
}
`,
  });
});
