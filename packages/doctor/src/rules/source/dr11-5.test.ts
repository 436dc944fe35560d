// DR11-5: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr11x5 } from "./dr11-5.ts";

test("DR11-5 fires", async () => {
  await assertFires(
    dr11x5,
    {
      driver: `kern_return_t HbaDriver::MakeQueue()
{
    return IODispatchQueue::Create("commands", 0, 0, &ivars->queue);
}

void HbaDriver::WaitForReset()
{
    ivars->queue->SleepWithDeadline(&ivars->reset, 0, ivars->deadline);
}
`,
    },
    /SleepWithDeadline on ivars->queue answers 0xe00002d8/,
  );
});

test("DR11-5 is silent on the corrected source", async () => {
  await assertSilent(dr11x5, {
    driver: `kern_return_t HbaDriver::MakeQueue()
{
    return IODispatchQueue::Create("commands", kIODispatchQueueReentrant, 0, &ivars->queue);
}

kern_return_t HbaDriver::WaitForReset()
{
    return ivars->queue->SleepWithDeadline(&ivars->reset, 0, ivars->deadline);
}
`,
  });
});
