// DR11-5: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { sleepOnPlainQueue } from "./sleep-on-plain-queue.ts";

test("DR11-5 fires: SleepWithDeadline on ivars->queue answers 0xe00002d8", async () => {
  await assertFires(
    sleepOnPlainQueue,
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
  await assertSilent(sleepOnPlainQueue, {
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
