// Wrong: five queues of one name, and on the adapter's reset they are made anew while their sources live.

#include "P11Driver.h"
#include "../P11State.h"

enum { kResetAfter = 2000 };

kern_return_t P11Driver::MakeChannels()
{
    uint32_t vector = 0;
    uint64_t type = 0;
    for (uint32_t index = 0; vector < kVectors && IOInterruptDispatchSource::GetInterruptType(ivars->device, index, &type) == kIOReturnSuccess; index++) {
        if ((type & kIOInterruptTypePCIMessagedX) == 0) continue;
        kern_return_t result = MakeChannel(index, vector++, "InterruptQueue");
        if (result != kIOReturnSuccess) return result;
    }
    return kIOReturnSuccess;
}

/** The sources keep the old queues, one reference too few. */
static void ResetQueues(P11Driver_IVars * ivars)
{
    ivars->resets++;
    for (Channel & channel : ivars->channels) {
        IODispatchQueue * old = channel.queue;
        IODispatchQueue::Create("InterruptQueue", 0, 0, &channel.queue);
        old->release();
        old->release();
    }
}

void P11Driver::Occurred(uint32_t vector, uint64_t count)
{
    Handle(vector, count);
    if (ivars->resets == 0 && ivars->interrupts > kResetAfter) ResetQueues(ivars);
}
