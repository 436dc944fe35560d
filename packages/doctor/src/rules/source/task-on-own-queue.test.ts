// FX-TASK-QUEUE: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { taskOnOwnQueue } from "./task-on-own-queue.ts";

test("FX-TASK-QUEUE fires: HbaDriver binds UserProcessParallelTask", async () => {
  await assertFires(
    taskOnOwnQueue,
    {
      driver: `#include <SCSIControllerDriverKit/IOUserSCSIParallelInterfaceController.iig>
class HbaDriver : public IOUserSCSIParallelInterfaceController
{
public:
    virtual kern_return_t UserProcessParallelTask(SCSIUserParallelTask parallelRequest, uint32_t * response, OSAction * completion) override QUEUENAME(Commands);
};
`,
    },
    /HbaDriver binds UserProcessParallelTask/,
  );
});

test("FX-TASK-QUEUE is silent on the corrected source", async () => {
  await assertSilent(taskOnOwnQueue, {
    driver: `#include <SCSIControllerDriverKit/IOUserSCSIParallelInterfaceController.iig>
class HbaDriver : public IOUserSCSIParallelInterfaceController
{
public:
    virtual kern_return_t UserProcessParallelTask(SCSIUserParallelTask parallelRequest, uint32_t * response, OSAction * completion) override;
    virtual void Drain(OSAction * action, uint64_t count, uint64_t time) TYPE(IOInterruptDispatchSource::InterruptOccurred) QUEUENAME(InterruptQueue);
};
`,
  });
});
