// One way to end badly after the other; which, says the number "Ending" of the personality.
#include <os/log.h>

#include <DriverKit/DriverKit.h>

#include "Ends.h"

enum Ending { kFine, kNotImplemented, kIgnored, kDeadlock, kNeverWoken, kEndlessLoop, kActionLeft, kMoreLeft, kCrowd, kRecursion, kDivision, kNoMemory, kBackAgain };

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

static uint32_t Deeper(volatile uint32_t * depth)
{
    volatile uint32_t mine = *depth + 1;
    return Deeper(&mine) + mine;
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
        return CoreAnalyticsSendEvent(0, text, nullptr);
    case kIgnored:
        (void) CoreAnalyticsSendEvent(0, text, nullptr);
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
    case kBackAgain:
        IODispatchQueue::Create("first", 0, 0, &first);
        IODispatchQueue::Create("second", 0, 0, &second);
        first->DispatchSync(^{
            second->DispatchSync(^{
                first->DispatchSync(^{ turns = turns + 1; });
            });
        });
        first->release();
        second->release();
        return RegisterService();
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
    case kCrowd:
        // Each waits on a queue of its own, and ends before those that began earlier.
        for (uint32_t index = 0; index < 12; index++) {
            IODispatchQueue * queue = nullptr;
            result = IODispatchQueue::Create("one of a crowd", 0, 0, &queue);
            if (result != kIOReturnSuccess) return result;
            queue->DispatchAsync(^{
                IOSleep(100 - index);
                turns = turns + 1;
                os_log(OS_LOG_DEFAULT, "%u has slept, %u have", index, turns);
            });
            queue->release();
        }
        return RegisterService();
    case kRecursion:
        return Deeper(&turns) == 0 ? kIOReturnSuccess : kIOReturnError;
    case kDivision:
        turns = 0;
        return 7 % turns == 0 ? kIOReturnSuccess : kIOReturnError;
    case kNoMemory:
        for (uint32_t index = 0; index < 1000; index++)
            if (IOMalloc(1024 * 1024) == nullptr) return kIOReturnNoMemory;
        return RegisterService();
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
