// Calls in a loop: each selector is told how often. What is measured stands in ../dext.bench.ts.
#include <DriverKit/DriverKit.h>
#include <time.h>

#include "Pace.h"
#include "PaceClient.h"

enum { kNothing, kOnQueue, kNow, kSleep, kRetain, kMethods };

struct PaceClient_IVars
{
    IODispatchQueue * queue;
};

kern_return_t IMPL(Pace, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    return result == kIOReturnSuccess ? RegisterService() : result;
}

kern_return_t IMPL(Pace, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t result = Create(this, "UserClientProperties", &client);
    if (result != kIOReturnSuccess) return result;
    *userClient = OSDynamicCast(IOUserClient, client);
    return *userClient != nullptr ? kIOReturnSuccess : kIOReturnError;
}

bool PaceClient::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(PaceClient_IVars, 1);
    return ivars != nullptr;
}

void PaceClient::free()
{
    if (ivars != nullptr) OSSafeReleaseNULL(ivars->queue);
    IOSafeDeleteNULL(ivars, PaceClient_IVars, 1);
    super::free();
}

kern_return_t IMPL(PaceClient, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    return result == kIOReturnSuccess ? IODispatchQueue::Create("pace", 0, 0, &ivars->queue) : result;
}

IODispatchQueue * PaceClient::Queue()
{
    return ivars->queue;
}

static kern_return_t nothing(OSObject *, void *, IOUserClientMethodArguments * arguments)
{
    arguments->scalarOutput[0] = arguments->scalarInput[0] + 1;
    arguments->scalarOutputCount = 1;
    return kIOReturnSuccess;
}

static kern_return_t onQueue(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    IODispatchQueue * queue = OSDynamicCast(PaceClient, target)->Queue();
    uint64_t on = 0;
    for (uint64_t left = arguments->scalarInput[0]; left > 0; left--) on += queue->OnQueue();
    arguments->scalarOutput[0] = on;
    return kIOReturnSuccess;
}

static kern_return_t now(OSObject *, void *, IOUserClientMethodArguments * arguments)
{
    uint64_t last = 0;
    for (uint64_t left = arguments->scalarInput[0]; left > 0; left--) last = mach_absolute_time();
    arguments->scalarOutput[0] = last;
    return kIOReturnSuccess;
}

static kern_return_t sleep(OSObject *, void *, IOUserClientMethodArguments * arguments)
{
    for (uint64_t left = arguments->scalarInput[0]; left > 0; left--) IOSleep(1);
    arguments->scalarOutput[0] = 0;
    return kIOReturnSuccess;
}

static kern_return_t retain(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    for (uint64_t left = arguments->scalarInput[0]; left > 0; left--) {
        target->retain();
        target->release();
    }
    arguments->scalarOutput[0] = 0;
    return kIOReturnSuccess;
}

static const IOUserClientMethodDispatch kDispatch[kMethods] = {
    { nothing, 0, 1, 0, 1, 0 }, { onQueue, 0, 1, 0, 1, 0 }, { now, 0, 1, 0, 1, 0 },
    { sleep, 0, 1, 0, 1, 0 },   { retain, 0, 1, 0, 1, 0 },
};

kern_return_t PaceClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                         const IOUserClientMethodDispatch *, OSObject *, void *)
{
    if (selector >= kMethods) return kIOReturnUnsupported;
    return super::ExternalMethod(selector, arguments, &kDispatch[selector], this, nullptr);
}
