// What both drivers of the adapter share: session, DMA, the sources of the five vectors, and the way out.

#include <os/log.h>

#include "P11Driver.h"
#include "P11State.h"

enum { kCommandRegister = 4, kMemorySpace = 2, kBusMaster = 4 };
enum AdapterRegister { kEngine = 0x20, kCounterLow = 0x24, kCounterHigh = 0x28 };

bool P11Driver::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(P11Driver_IVars, 1);
    return ivars != nullptr;
}

void P11Driver::free()
{
    if (ivars != nullptr) {
        OSSafeReleaseNULL(ivars->command);
        OSSafeReleaseNULL(ivars->memory);
        OSSafeReleaseNULL(ivars->device);
    }
    IOSafeDeleteNULL(ivars, P11Driver_IVars, 1);
    super::free();
}

kern_return_t P11Driver::MakeCounters()
{
    kern_return_t result = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, 4096, 4096, &ivars->memory);
    if (result != kIOReturnSuccess) return result;
    IOAddressSegment range = {};
    result = ivars->memory->GetAddressRange(&range);
    if (result != kIOReturnSuccess) return result;
    ivars->counters = reinterpret_cast<const uint64_t *>(range.address);
    IODMACommandSpecification specification = {};
    specification.maxAddressBits = 64;
    result = IODMACommand::Create(ivars->device, kIODMACommandCreateNoOptions, &specification, &ivars->command);
    if (result != kIOReturnSuccess) return result;
    uint64_t flags = 0;
    uint32_t segments = 1;
    IOAddressSegment segment[32] = {};
    result = ivars->command->PrepareForDMA(kIODMACommandPrepareForDMANoOptions, ivars->memory, 0, 0, &flags, &segments, segment);
    if (result != kIOReturnSuccess) return result;
    ivars->device->MemoryWrite32(0, kCounterLow, (uint32_t) segment[0].address);
    ivars->device->MemoryWrite32(0, kCounterHigh, (uint32_t) (segment[0].address >> 32));
    return kIOReturnSuccess;
}

kern_return_t IMPL(P11Driver, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    ivars->device = OSDynamicCast(IOPCIDevice, provider);
    if (ivars->device == nullptr) return kIOReturnUnsupported;
    ivars->device->retain();
    result = ivars->device->Open(this);
    if (result != kIOReturnSuccess) return result;
    uint16_t command = 0;
    ivars->device->ConfigurationRead16(kCommandRegister, &command);
    ivars->device->ConfigurationWrite16(kCommandRegister, command | kMemorySpace | kBusMaster);
    result = ivars->device->ConfigureInterrupts(kIOInterruptTypePCIMessagedX, 1, kVectors);
    if (result == kIOReturnSuccess) result = MakeCounters();
    if (result == kIOReturnSuccess) result = MakeChannels();
    if (result != kIOReturnSuccess) return result;
    ivars->device->MemoryWrite32(0, kEngine, 1);
    return RegisterService();
}

kern_return_t P11Driver::MakeChannel(uint32_t index, uint32_t vector, const char * name)
{
    Channel & channel = ivars->channels[vector];
    kern_return_t result = IODispatchQueue::Create(name, 0, 0, &channel.queue);
    if (result != kIOReturnSuccess) return result;
    result = IOInterruptDispatchSource::Create(ivars->device, index, channel.queue, &channel.source);
    if (result != kIOReturnSuccess) return result;
    result = CreateActionInterruptOccurred(sizeof(uint32_t), &channel.action);
    if (result != kIOReturnSuccess) return result;
    // The context before the source is enabled: it may fire at once.
    *(uint32_t *) channel.action->GetReference() = vector;
    channel.source->SetHandler(channel.action);
    ivars->channelCount++;
    return channel.source->SetEnable(true);
}

void IMPL(P11Driver, InterruptOccurred)
{
    Occurred(*(uint32_t *) action->GetReference(), count);
}

void P11Driver::Handle(uint32_t vector, uint64_t count)
{
    ivars->callbacks++;
    ivars->interrupts += count;
    uint64_t done = ivars->counters[vector] & 0xffffffffffffull;
    ivars->completions += done - ivars->seen[vector];
    ivars->seen[vector] = done;
}

void P11Driver::CopyCounts(uint64_t * counts)
{
    counts[0] = ivars->callbacks;
    counts[1] = ivars->interrupts;
    counts[2] = ivars->completions;
    counts[3] = ivars->resets;
}

kern_return_t IMPL(P11Driver, Stop)
{
    // Nothing comes behind the last of these cancels; the superclass hears of it then.
    __block uint32_t left = ivars->channelCount;
    if (left == 0) {
        if (ivars->device != nullptr) ivars->device->Close(this);
        return Stop(provider, SUPERDISPATCH);
    }
    retain();
    provider->retain();
    for (uint32_t vector = 0; vector < kVectors; vector++) {
        Channel channel = ivars->channels[vector];
        if (channel.source == nullptr) continue;
        ivars->channels[vector] = {};
        channel.source->SetEnable(false);
        channel.source->Cancel(^{
            channel.action->release();
            channel.source->release();
            channel.queue->release();
            if (--left > 0) return;
            ivars->device->Close(this);
            Stop(provider, SUPERDISPATCH);
            provider->release();
            release();
        });
    }
    return kIOReturnSuccess;
}

kern_return_t IMPL(P11Driver, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t result = Create(this, "UserClientProperties", &client);
    if (result != kIOReturnSuccess) return result;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient != nullptr) return kIOReturnSuccess;
    client->release();
    return kIOReturnError;
}

static kern_return_t Counts(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    P11Driver * driver = OSDynamicCast(P11Driver, OSDynamicCast(P11Client, target)->GetProvider());
    if (driver == nullptr) return kIOReturnNotAttached;
    driver->CopyCounts(arguments->scalarOutput);
    return kIOReturnSuccess;
}

static const IOUserClientMethodDispatch kMethods[] = { { Counts, 0, 0, 0, kCounts, 0 } };

kern_return_t P11Client::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                        const IOUserClientMethodDispatch *, OSObject *, void *)
{
    if (selector >= 1) return kIOReturnUnsupported;
    return super::ExternalMethod(selector, arguments, &kMethods[selector], this, nullptr);
}
