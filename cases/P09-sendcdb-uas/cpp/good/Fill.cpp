// Right: the length is in the command, where every transport carries it, and both directions say the same.

#include <DriverKit/DriverKit.h>

#include "P09Driver.h"

enum { kLengthAt = 10 };

void P09Driver::Fill(SCSIType00OutParameters * command, bool isOut, uint32_t length)
{
    for (int at = 0; at < 4; at++) command->fCommandDescriptorBlock[kLengthAt + at] = (uint8_t) (length >> (24 - 8 * at));
    command->fBufferDirection = isOut ? kIOMemoryDirectionOut : kIOMemoryDirectionIn;
    command->fDataTransferDirection = isOut ? kSCSIDataTransfer_FromInitiatorToTarget : kSCSIDataTransfer_FromTargetToInitiator;
}
