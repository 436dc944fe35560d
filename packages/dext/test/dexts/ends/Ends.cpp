// One way to end badly after the other; which, says the number "Ending" of the personality.
#include <os/log.h>

#include <DriverKit/DriverKit.h>

#include "Ends.h"

enum Ending { kFine, kNotImplemented, kIgnored, kDeadlock, kNeverWoken, kEndlessLoop, kActionLeft, kMoreLeft };

struct Ends_IVars
{
    OSArray * list;
    OSAction * action;
};

bool Ends::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(Ends_IVars, 1);
    return ivars != nullptr;
}

void Ends::free()
{
    if (ivars != nullptr) OSSafeReleaseNULL(ivars->list);
    IOSafeDeleteNULL(ivars, Ends_IVars, 1);
    super::free();
}

static volatile uint32_t turns;

static void SpinForEver()
{
    for (;;) turns = turns + 1;
}

static uint32_t EndingOf(IOService * service)
{
    OSDictionary * properties = nullptr;
    if (service->CopyProperties(&properties) != kIOReturnSuccess) return kFine;
    OSNumber * number = OSDynamicCast(OSNumber, properties->getObject("Ending"));
    uint32_t ending = number == nullptr ? (uint32_t) kFine : number->unsigned32BitValue();
    properties->release();
    return ending;
}

kern_return_t IMPL(Ends, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    IODispatchQueue * first = nullptr;
    IODispatchQueue * second = nullptr;
    OSString * text = nullptr;
    switch (EndingOf(this)) {
    case kNotImplemented:
        return StringFromReturn(kIOReturnSuccess, &text);
    case kIgnored:
        (void) StringFromReturn(kIOReturnSuccess, &text);
        return RegisterService();
    case kDeadlock:
        IODispatchQueue::Create("first", 0, 0, &first);
        IODispatchQueue::Create("second", 0, 0, &second);
        second->DispatchAsync(^{
            IOSleep(5);
            first->DispatchSync(^{});
        });
        first->DispatchSync(^{
            IOSleep(5);
            second->DispatchSync(^{});
        });
        return kIOReturnSuccess;
    case kNeverWoken: {
        IOLock * lock = IOLockAlloc();
        IOLockLock(lock);
        IODispatchQueue::Create("first", 0, 0, &first);
        first->DispatchAsync(^{ IOLockLock(lock); });
        first->DispatchSync(^{});
        return kIOReturnSuccess;
    }
    case kEndlessLoop:
        SpinForEver();
        return kIOReturnSuccess;
    case kMoreLeft:
        // Nobody holds this one.
        OSArray::withCapacity(1);
        [[fallthrough]];
    case kActionLeft:
        ivars->list = OSArray::withCapacity(1);
        result = CreateActionTicked(0, &ivars->action);
        return result == kIOReturnSuccess ? kIOReturnNoDevice : result;
    default:
        return RegisterService();
    }
}

void IMPL(Ends, Ticked) {}
