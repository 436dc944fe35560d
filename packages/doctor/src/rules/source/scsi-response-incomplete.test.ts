// DR18-3: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { scsiResponseIncomplete } from "./scsi-response-incomplete.ts";

test("DR18-3 fires: without fBytesTransferred", async () => {
  await assertFires(
    scsiResponseIncomplete,
    {
      driver: `void HbaDriver::CompleteGood(OSAction * completion, uint64_t target, uint32_t tag)
{
    SCSIUserParallelResponse response = {};
    response.version = kScsiUserParallelTaskResponseCurrentVersion1;
    response.fTargetID = target;
    response.fControllerTaskIdentifier = tag;
    response.fCompletionStatus = kSCSITaskStatus_GOOD;
    response.fServiceResponse = kSCSIServiceResponse_TASK_COMPLETE;
    ParallelTaskCompletion(completion, response);
}
`,
    },
    /without fBytesTransferred/,
  );
});

test("DR18-3 fires: without its version", async () => {
  await assertFires(
    scsiResponseIncomplete,
    {
      driver: `void HbaDriver::CompleteGood(OSAction * completion, uint64_t target, uint32_t tag)
{
    SCSIUserParallelResponse response;
    bzero(&response, sizeof(response));
    response.fBytesTransferred = ivars->moved;
    ParallelTaskCompletion(completion, response);
}
`,
    },
    /without its version/,
  );
});

test("DR18-3 is silent on the corrected source", async () => {
  await assertSilent(scsiResponseIncomplete, {
    driver: `void HbaDriver::CompleteGood(OSAction * completion, uint64_t target, uint32_t tag, uint64_t bytes)
{
    SCSIUserParallelResponse response = {};
    response.version = kScsiUserParallelTaskResponseCurrentVersion1;
    response.fTargetID = target;
    response.fControllerTaskIdentifier = tag;
    response.fCompletionStatus = kSCSITaskStatus_GOOD;
    response.fServiceResponse = kSCSIServiceResponse_TASK_COMPLETE;
    response.fBytesTransferred = bytes;
    ParallelTaskCompletion(completion, response);
}
`,
  });
});
