// DR18-5: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { taskBufferPreparedTwice } from "./task-buffer-prepared-twice.ts";

test("DR18-5 fires: prepares buffer, which the kernel has prepared already", async () => {
  await assertFires(
    taskBufferPreparedTwice,
    {
      driver: `kern_return_t IMPL(HbaDriver, UserProcessParallelTask)
{
    IOBufferMemoryDescriptor * buffer = nullptr;
    kern_return_t ret = UserGetDataBuffer(parallelRequest.fTargetID, parallelRequest.fControllerTaskIdentifier, &buffer);
    if (ret == kIOReturnSuccess) ret = ivars->dma->PrepareForDMA(0, buffer, 0, 0, &flags, &count, segments);
    *response = kSCSIServiceResponse_Request_In_Process;
    return ret;
}
`,
    },
    /prepares buffer, which the kernel has prepared already/,
  );
});

test("DR18-5 is silent on the corrected source", async () => {
  await assertSilent(taskBufferPreparedTwice, {
    driver: `kern_return_t IMPL(HbaDriver, UserProcessParallelTask)
{
    PostCommand(parallelRequest.fBufferIOVMAddr, parallelRequest.fRequestedTransferCount);
    *response = kSCSIServiceResponse_Request_In_Process;
    return kIOReturnSuccess;
}
`,
  });
});
