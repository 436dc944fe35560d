// Wrong: a register is polled every millisecond and read for each interrupt, and each read of a dead link stops the Mac.

#include "P14Driver.h"
#include "../P14State.h"

/** A bit of the status register: the adapter is at work with itself. */
enum { kBusy = 2 };
enum { kPollNs = 1000000 };

kern_return_t P14Driver::Meet()
{
    uint32_t identity = 0;
    ivars->device->MemoryRead32(0, kIdentity, &identity);
    return kIOReturnSuccess;
}

bool P14Driver::IsOpen() { return true; }

static void Arm(IOTimerDispatchSource * timer)
{
    timer->WakeAtTime(kIOTimerClockUptimeRaw, clock_gettime_nsec_np(CLOCK_UPTIME_RAW) + kPollNs, 0);
}

void P14Driver::Begun() { Arm(ivars->timer); }

void P14Driver::Interrupted()
{
    uint32_t status = 0;
    ivars->device->MemoryRead32(0, kStatus, &status); // for each interrupt
    CompleteCounted();
}

void P14Driver::Ticked()
{
    uint32_t status = 0;
    // All ones has the bit set, and for ever.
    do {
        ivars->device->MemoryRead32(0, kStatus, &status); // every millisecond
    } while ((status & kBusy) != 0);
    Arm(ivars->timer);
}

void P14Driver::Leaving() {}

void P14Driver::Left()
{
    FailAll();
    if (ivars->device != nullptr) ivars->device->Close(this);
    ReleaseMemory();
}
