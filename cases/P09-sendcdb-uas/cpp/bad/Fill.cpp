// Wrong: only the transport is told how much data there is, and over UAS it tells the drive nothing.

#include <DriverKit/DriverKit.h>

#include "P09Driver.h"

void P09Driver::Fill(SCSIType00OutParameters * command, bool isOut, uint32_t length)
{
    // The command itself holds no length: only fRequestedByteCountOfTransfer, which a UAS command unit does not carry.
    (void) length;
    command->fBufferDirection = isOut ? kIOMemoryDirectionOut : kIOMemoryDirectionIn;
    command->fDataTransferDirection = isOut ? kSCSIDataTransfer_FromInitiatorToTarget : kSCSIDataTransfer_FromTargetToInitiator;
}
