// FX-SCSI-DIRECTION: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { scsiDirectionEncoding } from "./scsi-direction-encoding.ts";

test("FX-SCSI-DIRECTION fires: fBufferDirection is given kSCSIDataTransfer_FromTargetToInitiator", async () => {
  await assertFires(
    scsiDirectionEncoding,
    {
      driver: `kern_return_t DiskDriver::SendRead(SCSIType00OutParameters * command)
{
    command->fBufferDirection = kSCSIDataTransfer_FromTargetToInitiator;
    command->fDataTransferDirection = kSCSIDataTransfer_FromTargetToInitiator;
    return UserSendCDB(*command, &ivars->response);
}
`,
    },
    /fBufferDirection is given kSCSIDataTransfer_FromTargetToInitiator/,
  );
});

test("FX-SCSI-DIRECTION is silent on the corrected source", async () => {
  await assertSilent(scsiDirectionEncoding, {
    driver: `kern_return_t DiskDriver::SendRead(SCSIType00OutParameters * command)
{
    command->fBufferDirection = kIOMemoryDirectionIn;
    command->fDataTransferDirection = kSCSIDataTransfer_FromTargetToInitiator;
    return UserSendCDB(*command, &ivars->response);
}
`,
  });
});
