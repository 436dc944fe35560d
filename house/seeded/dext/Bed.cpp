// A sound driver round one seeded bug: what goes wrong in it is the seed's.
#include "Bed.h"
#include "Seed.h"

enum { kReadSize = 64 };

struct BedDriver_IVars
{
    const Seed * seed;
    Bed bed;
    IOUSBHostPipe * in;
    IOBufferMemoryDescriptor * buffer;
    OSAction * action;
    bool hasBegun;
};

struct BedClient_IVars
{
    BedDriver * driver;
};

bool BedDriver::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(BedDriver_IVars, 1);
    return ivars != nullptr;
}

void BedDriver::free()
{
    if (ivars != nullptr) {
        if (ivars->hasBegun && ivars->seed->end != nullptr) ivars->seed->end(ivars->bed);
        if (ivars->bed.state != nullptr) IOFree(ivars->bed.state, ivars->seed->stateBytes);
        OSSafeReleaseNULL(ivars->action);
        OSSafeReleaseNULL(ivars->buffer);
        OSSafeReleaseNULL(ivars->in);
        OSSafeReleaseNULL(ivars->bed.out);
        OSSafeReleaseNULL(ivars->bed.interface);
    }
    IOSafeDeleteNULL(ivars, BedDriver_IVars, 1);
    super::free();
}

static const Seed * SeedOf(IOService * service)
{
    OSDictionary * properties = nullptr;
    if (service->CopyProperties(&properties) != kIOReturnSuccess) return nullptr;
    OSString * name = OSDynamicCast(OSString, properties->getObject("Seed"));
    const Seed * seed = name == nullptr ? nullptr : FindSeed(name->getCStringNoCopy());
    properties->release();
    return seed;
}

kern_return_t BedDriver::Open(IOService * provider)
{
    Bed & bed = ivars->bed;
    bed.driver = this;
    ivars->seed = SeedOf(this);
    bed.interface = OSDynamicCast(IOUSBHostInterface, provider);
    if (ivars->seed == nullptr || bed.interface == nullptr) return kIOReturnBadArgument;
    bed.interface->retain();
    bed.state = IOMallocZero(ivars->seed->stateBytes);
    if (bed.state == nullptr) return kIOReturnNoMemory;
    kern_return_t result = bed.interface->Open(this, 0, nullptr);
    if (result == kIOReturnSuccess) result = bed.interface->CopyPipe(0x81, &ivars->in);
    if (result == kIOReturnSuccess) result = bed.interface->CopyPipe(0x01, &bed.out);
    if (result == kIOReturnSuccess) result = bed.interface->CreateIOBuffer(kIOMemoryDirectionIn, kReadSize, &ivars->buffer);
    if (result == kIOReturnSuccess) result = CreateActionReceived(0, &ivars->action);
    if (result != kIOReturnSuccess) return result;
    ivars->hasBegun = true;
    return ivars->seed->begin == nullptr ? kIOReturnSuccess : ivars->seed->begin(bed);
}

kern_return_t IMPL(BedDriver, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    result = Open(provider);
    if (result == kIOReturnSuccess) result = ivars->in->AsyncIO(ivars->buffer, kReadSize, ivars->action, 0);
    if (result == kIOReturnSuccess) result = RegisterService();
    if (result != kIOReturnSuccess && ivars->action != nullptr) {
        // The action holds this driver: without the cancel neither would ever go.
        ivars->in->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
        ivars->action->Cancel(^{});
    }
    return result;
}

kern_return_t IMPL(BedDriver, Stop)
{
    if (ivars->in != nullptr) ivars->in->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
    if (ivars->action == nullptr) return Stop(provider, SUPERDISPATCH);
    // Nothing calls back behind the cancel. The block keeps no object: this does.
    retain();
    provider->retain();
    kern_return_t result = ivars->action->Cancel(^{
        ivars->bed.interface->Close(this, 0);
        Stop(provider, SUPERDISPATCH);
        provider->release();
        release();
    });
    if (result == kIOReturnSuccess) return result;
    OSSafeReleaseNULL(ivars->action);
    provider->release();
    release();
    return Stop(provider, SUPERDISPATCH);
}

kern_return_t IMPL(BedDriver, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t result = Create(this, "UserClientProperties", &client);
    if (result != kIOReturnSuccess) return result;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient != nullptr) return kIOReturnSuccess;
    client->release();
    return kIOReturnError;
}

void IMPL(BedDriver, Received)
{
    if (status != kIOReturnSuccess) return;
    IOAddressSegment range = {};
    if (ivars->buffer->GetAddressRange(&range) != kIOReturnSuccess) return;
    if (ivars->seed->packet != nullptr) {
        // A block of exactly the packet's length: what is read behind it is not the packet's.
        uint32_t blockBytes = actualByteCount == 0 ? 1 : actualByteCount;
        uint8_t * block = (uint8_t *) IOMallocZero(blockBytes);
        if (block == nullptr) return;
        memcpy(block, (const void *) range.address, actualByteCount);
        ivars->seed->packet(ivars->bed, block + blockBytes - actualByteCount, actualByteCount);
        IOFree(block, blockBytes);
    }
    ivars->in->AsyncIO(ivars->buffer, kReadSize, action, 0);
}

kern_return_t BedDriver::CallSeed(uint64_t selector, IOUserClientMethodArguments * arguments)
{
    return ivars->seed->call == nullptr ? kIOReturnUnsupported : ivars->seed->call(ivars->bed, selector, arguments);
}

bool BedClient::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(BedClient_IVars, 1);
    return ivars != nullptr;
}

void BedClient::free()
{
    IOSafeDeleteNULL(ivars, BedClient_IVars, 1);
    super::free();
}

kern_return_t IMPL(BedClient, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    ivars->driver = OSDynamicCast(BedDriver, provider);
    return ivars->driver != nullptr ? kIOReturnSuccess : kIOReturnBadArgument;
}

kern_return_t IMPL(BedClient, Stop)
{
    ivars->driver = nullptr;
    return Stop(provider, SUPERDISPATCH);
}

kern_return_t BedClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                        const IOUserClientMethodDispatch *, OSObject *, void *)
{
    // One method, so that whoever tries them all tries it in every shape.
    if (selector != 0) return kIOReturnUnsupported;
    return ivars->driver->CallSeed(selector, arguments);
}
