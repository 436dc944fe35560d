// What both drivers of the host adapter share: session, memory for counters, commands under way, one completion each.

#include <os/log.h>

#include "P14Driver.h"
#include "P14State.h"

bool P14Driver::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(P14Driver_IVars, 1);
    return ivars != nullptr;
}

void P14Driver::free()
{
    if (ivars != nullptr) {
        ReleaseSources();
        ReleaseMemory();
        OSSafeReleaseNULL(ivars->device);
    }
    IOSafeDeleteNULL(ivars, P14Driver_IVars, 1);
    super::free();
}

kern_return_t P14Driver::MakeCounters()
{
    kern_return_t result = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, 4096, 4096, &ivars->memory);
    if (result != kIOReturnSuccess) return result;
    IODMACommandSpecification specification = {};
    specification.maxAddressBits = 64;
    result = IODMACommand::Create(ivars->device, kIODMACommandCreateNoOptions, &specification, &ivars->command);
    if (result != kIOReturnSuccess) return result;
    uint64_t flags = 0;
    uint32_t segments = 1;
    IOAddressSegment segment[32] = {};
    result = ivars->command->PrepareForDMA(kIODMACommandPrepareForDMANoOptions, ivars->memory, 0, 0, &flags, &segments, segment);
    if (result != kIOReturnSuccess) return result;
    IOAddressSegment range = {};
    result = ivars->memory->GetAddressRange(&range);
    if (result != kIOReturnSuccess) return result;
    ivars->counters = reinterpret_cast<const uint64_t *>(range.address);
    ivars->device->MemoryWrite32(0, kCounterLow, (uint32_t) segment[0].address);
    ivars->device->MemoryWrite32(0, kCounterHigh, (uint32_t) (segment[0].address >> 32));
    return kIOReturnSuccess;
}

kern_return_t P14Driver::MakeSources()
{
    kern_return_t result = IODispatchQueue::Create("Interrupt", 0, 0, &ivars->queue);
    if (result != kIOReturnSuccess) return result;
    result = SetDispatchQueue("Interrupt", ivars->queue);
    if (result != kIOReturnSuccess) return result;
    uint32_t index = 0;
    uint64_t type = 0;
    // Messages stand behind a legacy pin, where there is one.
    while (IOInterruptDispatchSource::GetInterruptType(ivars->device, index, &type) == kIOReturnSuccess
           && (type & kIOInterruptTypePCIMessagedX) == 0)
        index++;
    result = IOInterruptDispatchSource::Create(ivars->device, index, ivars->queue, &ivars->interrupt);
    if (result != kIOReturnSuccess) return result;
    result = IOTimerDispatchSource::Create(ivars->queue, &ivars->timer);
    if (result != kIOReturnSuccess) return result;
    result = CreateActionInterruptOccurred(0, &ivars->occurred);
    if (result == kIOReturnSuccess) result = CreateActionTimerOccurred(0, &ivars->ticked);
    if (result == kIOReturnSuccess) result = ivars->interrupt->SetHandler(ivars->occurred);
    if (result == kIOReturnSuccess) result = ivars->timer->SetHandler(ivars->ticked);
    if (result == kIOReturnSuccess) result = ivars->interrupt->SetEnable(true);
    if (result == kIOReturnSuccess) result = ivars->timer->SetEnable(true);
    return result;
}

kern_return_t IMPL(P14Driver, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    IOPCIDevice * device = OSDynamicCast(IOPCIDevice, provider);
    if (device == nullptr) return kIOReturnUnsupported;
    result = device->Open(this);
    if (result != kIOReturnSuccess) return result;
    device->retain();
    ivars->device = device;
    uint16_t command = 0;
    device->ConfigurationRead16(kCommandRegister, &command);
    device->ConfigurationWrite16(kCommandRegister, command | kMemorySpace | kBusMaster);
    result = Meet();
    if (result == kIOReturnSuccess) result = device->ConfigureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
    if (result == kIOReturnSuccess) result = MakeCounters();
    if (result == kIOReturnSuccess) result = MakeSources();
    if (result != kIOReturnSuccess) return result;
    device->MemoryWrite32(0, kEngine, 1);
    for (int slot = 0; slot < kDepth; slot++) Submit();
    result = RegisterService();
    Begun();
    return result;
}

void IMPL(P14Driver, InterruptOccurred) { Interrupted(); }

void IMPL(P14Driver, TimerOccurred) { Ticked(); }

/** Begins a command: a doorbell, which is a write. */
void P14Driver::Submit()
{
    if (!IsOpen()) return;
    ivars->pending++;
    ivars->device->MemoryWrite32(0, kWork, 0);
}

/** Completes what the adapter has counted in host memory since last time, and begins as many again. */
void P14Driver::CompleteCounted()
{
    if (ivars->counters == nullptr) return;
    uint64_t count = ivars->counters[0] & 0xffffffffffffull;
    for (; ivars->seen < count; ivars->seen++) {
        if (ivars->pending == 0) {
            ivars->twice++;
        } else {
            ivars->pending--;
            ivars->completed++;
        }
        Submit();
    }
}

/** From software's own state, without a look at the device. */
void P14Driver::FailAll()
{
    ivars->notPresent += ivars->pending;
    ivars->pending = 0;
    os_log(OS_LOG_DEFAULT, "%u commands completed, %u ended as \"device not present\", %u twice", ivars->completed,
           ivars->notPresent, ivars->twice);
}

/** The mapping ends, then the memory goes. */
void P14Driver::ReleaseMemory()
{
    ivars->counters = nullptr;
    if (ivars->command != nullptr) ivars->command->CompleteDMA(kIODMACommandCompleteDMANoOptions);
    OSSafeReleaseNULL(ivars->command);
    OSSafeReleaseNULL(ivars->memory);
}

void P14Driver::ReleaseSources()
{
    OSSafeReleaseNULL(ivars->occurred);
    OSSafeReleaseNULL(ivars->ticked);
    OSSafeReleaseNULL(ivars->interrupt);
    OSSafeReleaseNULL(ivars->timer);
    OSSafeReleaseNULL(ivars->queue);
}

kern_return_t IMPL(P14Driver, Stop)
{
    Leaving();
    __block uint32_t left = (ivars->interrupt != nullptr) + (ivars->timer != nullptr);
    if (left == 0) {
        Left();
        return Stop(provider, SUPERDISPATCH);
    }
    // Nothing comes behind the last of these cancels; the superclass hears of it then.
    retain();
    provider->retain();
    void (^over)() = ^{
        if (--left > 0) return;
        // Here, not in free: an action keeps its target, and the target would keep the action.
        ReleaseSources();
        Left();
        Stop(provider, SUPERDISPATCH);
        provider->release();
        release();
    };
    if (ivars->interrupt != nullptr) ivars->interrupt->Cancel(over);
    if (ivars->timer != nullptr) ivars->timer->Cancel(over);
    return kIOReturnSuccess;
}
