// Right: no register is read in steady state, a gate closes first, and Stop touches nothing of the device but by writes.

#include "P14Driver.h"
#include "../P14State.h"

enum { kKnown = 0x0b0a0d01 };

kern_return_t P14Driver::Meet()
{
    // Through the kernel: a link that dies here is all ones, not a panic.
    uint32_t identity = 0;
    ivars->device->MemoryRead32(0, kIdentity, &identity, kIOPCIAccessLatencyTolerantHint);
    if (identity != kKnown) return kIOReturnNoDevice;
    ivars->isGateOpen = true;
    return kIOReturnSuccess;
}

bool P14Driver::IsOpen() { return ivars->isGateOpen; }

void P14Driver::Begun() {}

void P14Driver::Interrupted()
{
    if (ivars->isGateOpen) CompleteCounted();
}

void P14Driver::Ticked() {}

void P14Driver::Leaving()
{
    ivars->isGateOpen = false;
    if (ivars->interrupt != nullptr) ivars->interrupt->SetEnable(false);
    if (ivars->timer != nullptr) ivars->timer->SetEnable(false);
}

void P14Driver::Left()
{
    FailAll();
    if (ivars->device == nullptr) return;
    // Engine and bus master off, read back, and only then the memory: in case the device is still there.
    ivars->device->MemoryWrite32(0, kEngine, 0);
    ivars->device->ConfigurationWrite16(kCommandRegister, kInterruptDisable);
    uint16_t command = 0;
    ivars->device->ConfigurationRead16(kCommandRegister, &command);
    ReleaseMemory();
    ivars->device->Close(this);
}
