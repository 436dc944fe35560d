// Right: sources by the indices that are messages, one queue each with a name of its own, kept until its source is cancelled.

#include <stdio.h>

#include "P11Driver.h"
#include "../P11State.h"

kern_return_t P11Driver::MakeChannels()
{
    uint32_t vector = 0;
    uint64_t type = 0;
    for (uint32_t index = 0; vector < kVectors && IOInterruptDispatchSource::GetInterruptType(ivars->device, index, &type) == kIOReturnSuccess; index++) {
        if ((type & kIOInterruptTypePCIMessagedX) == 0) continue;
        char name[32];
        snprintf(name, sizeof name, "InterruptQueue%u", vector);
        kern_return_t result = MakeChannel(index, vector++, name);
        if (result != kIOReturnSuccess) return result;
    }
    return kIOReturnSuccess;
}

void P11Driver::Occurred(uint32_t vector, uint64_t count) { Handle(vector, count); }
