// A frame is a type, a length and so many bytes. A sound reader asks whether they have come; the faulty one does not.
#include <os/log.h>

#include <DriverKit/DriverKit.h>
#include <USBDriverKit/USBDriverKit.h>

#include "Frames.h"

enum { kTypes = 4, kReadSize = 64, kStored = 48, kRate = 48000 };
enum FrameType { kData, kStatus, kReset, kTime };

struct FramesDriver_IVars
{
    IOUSBHostInterface * interface;
    IOUSBHostPipe * in;
    IOBufferMemoryDescriptor * buffer;
    OSAction * action;
    uint64_t counters[kTypes];
    uint8_t stored[kStored];
    uint32_t perSecond;
    uint32_t time;
    bool isFaulty;
};

struct FramesClient_IVars
{
    FramesDriver * driver;
};

bool FramesDriver::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(FramesDriver_IVars, 1);
    return ivars != nullptr;
}

void FramesDriver::free()
{
    if (ivars != nullptr) {
        OSSafeReleaseNULL(ivars->action);
        OSSafeReleaseNULL(ivars->buffer);
        OSSafeReleaseNULL(ivars->in);
        OSSafeReleaseNULL(ivars->interface);
    }
    IOSafeDeleteNULL(ivars, FramesDriver_IVars, 1);
    super::free();
}

static bool IsFaulty(IOService * service)
{
    OSDictionary * properties = nullptr;
    if (service->CopyProperties(&properties) != kIOReturnSuccess) return false;
    bool isFaulty = OSDynamicCast(OSBoolean, properties->getObject("Faulty")) == kOSBooleanTrue;
    properties->release();
    return isFaulty;
}

kern_return_t IMPL(FramesDriver, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    ivars->isFaulty = IsFaulty(this);
    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    if (ivars->interface == nullptr) return kIOReturnBadArgument;
    ivars->interface->retain();
    result = ivars->interface->Open(this, 0, nullptr);
    if (result == kIOReturnSuccess) result = ivars->interface->CopyPipe(0x81, &ivars->in);
    if (result == kIOReturnSuccess) result = ivars->interface->CreateIOBuffer(kIOMemoryDirectionIn, kReadSize, &ivars->buffer);
    if (result == kIOReturnSuccess) result = CreateActionReceived(0, &ivars->action);
    if (result != kIOReturnSuccess) return result;
    result = ivars->in->AsyncIO(ivars->buffer, kReadSize, ivars->action, 0);
    if (result == kIOReturnSuccess) result = RegisterService();
    if (result != kIOReturnSuccess) {
        // The action holds this driver: without the cancel neither would ever go.
        ivars->in->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
        ivars->action->Cancel(^{});
    }
    return result;
}

kern_return_t IMPL(FramesDriver, Stop)
{
    if (ivars->in != nullptr) ivars->in->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
    if (ivars->action == nullptr) return Stop(provider, SUPERDISPATCH);
    // Nothing calls back behind the cancel; the superclass hears of it then. The block keeps no object: this does.
    retain();
    provider->retain();
    kern_return_t result = ivars->action->Cancel(^{
        if (ivars->interface != nullptr) ivars->interface->Close(this, 0);
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

kern_return_t IMPL(FramesDriver, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t result = Create(this, "UserClientProperties", &client);
    if (result != kIOReturnSuccess) return result;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient == nullptr) {
        client->release();
        return kIOReturnError;
    }
    return kIOReturnSuccess;
}

void IMPL(FramesDriver, Received)
{
    if (status != kIOReturnSuccess) return;
    IOAddressSegment range = {};
    if (ivars->buffer->GetAddressRange(&range) != kIOReturnSuccess) return;
    const uint8_t * bytes = (const uint8_t *) range.address;
    uint32_t at = 0;
    while (at + 2 <= actualByteCount) {
        uint32_t type = bytes[at];
        uint32_t length = bytes[at + 1];
        const uint8_t * content = bytes + at + 2;
        if (!ivars->isFaulty && (type >= kTypes || at + 2 + length > actualByteCount)) break;
        switch (type) {
        case kData:
            if (ivars->isFaulty || length <= kStored) memcpy(ivars->stored, content, length);
            break;
        case kReset:
            memset(ivars->counters, 0, sizeof ivars->counters);
            break;
        case kTime:
            if (ivars->isFaulty) ivars->time = *(const uint32_t *) content;
            else if (length >= sizeof ivars->time) memcpy(&ivars->time, content, sizeof ivars->time);
            break;
        default:
            break;
        }
        if (type < kTypes) ivars->counters[type]++;
        at += 2 + length;
    }
    ivars->in->AsyncIO(ivars->buffer, kReadSize, action, 0);
}

uint64_t FramesDriver::Counter(uint32_t index) { return ivars->counters[index]; }

kern_return_t FramesDriver::SetPeriod(uint32_t period)
{
    if (!ivars->isFaulty && period == 0) return kIOReturnBadArgument;
    ivars->perSecond = kRate / period;
    return kIOReturnSuccess;
}

kern_return_t FramesDriver::Store(const uint8_t * bytes, uint32_t length, uint32_t at)
{
    // The sum of two numbers wraps; the faulty one forgets that.
    if (ivars->isFaulty ? at + length > kStored : (at > kStored || length > kStored - at)) return kIOReturnBadArgument;
    memcpy(ivars->stored + at, bytes, length);
    return kIOReturnSuccess;
}

enum { kCounter, kPeriod, kStore, kMethods };

static kern_return_t Counter(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    FramesClient * client = OSDynamicCast(FramesClient, target);
    if (arguments->scalarInput[0] >= kTypes) return kIOReturnBadArgument;
    arguments->scalarOutput[0] = client->ivars->driver->Counter((uint32_t) arguments->scalarInput[0]);
    return kIOReturnSuccess;
}

static kern_return_t Period(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    FramesClient * client = OSDynamicCast(FramesClient, target);
    return client->ivars->driver->SetPeriod((uint32_t) arguments->scalarInput[0]);
}

static kern_return_t Store(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    FramesClient * client = OSDynamicCast(FramesClient, target);
    if (arguments->structureInput == nullptr) return kIOReturnBadArgument;
    return client->ivars->driver->Store((const uint8_t *) arguments->structureInput->getBytesNoCopy(),
                                        (uint32_t) arguments->structureInput->getLength(), (uint32_t) arguments->scalarInput[0]);
}

static const IOUserClientMethodDispatch kDispatch[kMethods] = {
    { Counter, 0, 1, 0, 1, 0 },
    { Period, 0, 1, 0, 0, 0 },
    { Store, 0, 1, kIOUserClientVariableStructureSize, 0, 0 },
};

bool FramesClient::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(FramesClient_IVars, 1);
    return ivars != nullptr;
}

void FramesClient::free()
{
    IOSafeDeleteNULL(ivars, FramesClient_IVars, 1);
    super::free();
}

kern_return_t IMPL(FramesClient, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    ivars->driver = OSDynamicCast(FramesDriver, provider);
    return ivars->driver != nullptr ? kIOReturnSuccess : kIOReturnBadArgument;
}

kern_return_t IMPL(FramesClient, Stop)
{
    ivars->driver = nullptr;
    return Stop(provider, SUPERDISPATCH);
}

kern_return_t FramesClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                           const IOUserClientMethodDispatch *, OSObject *, void *)
{
    if (selector >= kMethods) return kIOReturnUnsupported;
    return super::ExternalMethod(selector, arguments, &kDispatch[selector], this, nullptr);
}
