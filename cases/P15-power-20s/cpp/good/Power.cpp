// Right: the spindle is started without waiting for it, then the change is acknowledged; requests wait instead.

#include <DriverKit/DriverKit.h>

#include "P15Driver.h"

/** A unit attention may take the place of the first answers. */
enum { kAttempts = 3, kTimeoutMs = 5000, kStartStopUnit = 0x1b, kImmediate = 1, kStartBit = 1 };

kern_return_t IMPL(P15Driver, SetPowerState)
{
    for (int attempt = 0; powerFlags == kIOServicePowerCapabilityOn && attempt < kAttempts; attempt++) {
        SCSIType00OutParameters command = {};
        SCSIType00InParameters answer = {};
        command.version = kScsiType00OutCurrentVersion1;
        command.fTimeoutDuration = kTimeoutMs;
        // With IMMED the class driver then finds a unit that is "becoming ready", and does not wait.
        command.fCommandDescriptorBlock[0] = kStartStopUnit;
        command.fCommandDescriptorBlock[1] = kImmediate;
        command.fCommandDescriptorBlock[4] = kStartBit;
        if (UserSendCDB(command, &answer) != kIOReturnSuccess) break;
        if (answer.fServiceResponse == kSCSIServiceResponse_TASK_COMPLETE && answer.fCompletionStatus == kSCSITaskStatus_GOOD)
            break;
    }
    // Once, on every path: this call is the acknowledgement.
    return SetPowerState(powerFlags, SUPERDISPATCH);
}
