// One way to break the rules of C++ after the other; which, says the number "Way" of the personality. 0 breaks none.
#include <os/log.h>

#include <DriverKit/DriverKit.h>
#include <DriverKit/IOBufferMemoryDescriptor.h>

#include "Unsound.h"

/** The names of sanitize.test.ts. */
enum Way {
    kFine, kHeapWrite, kHeapRead, kHeapBefore, kFreed, kGlobal, kStack, kScope, kNull, kBuffer, kBufferGone, kText, kAlloca, kMove,
    kSum, kShift, kIndex, kDivide, kNoReturn, kAligned, kTruth, kNullArgument, kNegate, kWide,
};

struct Pair { uint32_t first; uint32_t second; };

static uint32_t table[4] = { 1, 2, 3, 4 };
static volatile uint32_t seen;
static volatile int number;

static int Answer(int given)
{
    if (given > 0) return given;
    if (given < -1000000) return -1;
}

static void Touch(uint8_t * bytes, uint32_t at) { bytes[at] = 7; }

static kern_return_t Break(uint32_t way)
{
    volatile uint32_t four = 4;
    volatile int most = 2147483647;
    switch (way) {
    case kHeapWrite: {
        uint8_t * bytes = (uint8_t *) IOMalloc(13);
        Touch(bytes, 13);
        IOFree(bytes, 13);
        break;
    }
    case kHeapRead: {
        Pair * pairs = IONewZero(Pair, 2);
        seen = pairs[2].first;
        IODelete(pairs, Pair, 2);
        break;
    }
    case kHeapBefore: {
        uint8_t * bytes = (uint8_t *) IOMallocZero(16);
        seen = bytes[-(int) four];
        IOFree(bytes, 16);
        break;
    }
    case kFreed: {
        Pair * pair = IONewZero(Pair, 1);
        IOFree(pair, sizeof(Pair));
        seen = pair->second;
        break;
    }
    case kGlobal:
        seen = *(&table[0] + four);
        break;
    case kStack: {
        uint32_t local[4] = {};
        uint32_t * walk = local;
        for (uint32_t index = 0; index <= four; index++) *walk++ = index;
        seen = local[0];
        break;
    }
    case kScope: {
        uint32_t * kept = nullptr;
        {
            uint32_t inner = four;
            kept = &inner;
        }
        seen = *kept;
        break;
    }
    case kNull: {
        Pair * volatile none = nullptr;
        seen = none->second;
        break;
    }
    case kBuffer:
    case kBufferGone: {
        IOBufferMemoryDescriptor * buffer = nullptr;
        kern_return_t result = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, 64, 0, &buffer);
        if (result != kIOReturnSuccess) return result;
        IOAddressSegment range;
        buffer->GetAddressRange(&range);
        uint8_t * bytes = reinterpret_cast<uint8_t *>(range.address);
        if (way == kBuffer) memset(bytes, 1, 65);
        buffer->release();
        if (way == kBufferGone) bytes[3] = 1;
        break;
    }
    case kText: {
        char * name = (char *) IOMallocZero(8);
        strlcpy(name, "a name that is too long", 16);
        IOFree(name, 8);
        break;
    }
    case kAlloca: {
        volatile uint8_t * room = (volatile uint8_t *) __builtin_alloca(four * 3);
        room[four * 3] = 1;
        break;
    }
    case kMove: {
        uint8_t * bytes = (uint8_t *) IOMallocZero(16);
        memmove(bytes, bytes + 8, 12);
        IOFree(bytes, 16);
        break;
    }
    case kSum:
        number = most + (int) four;
        break;
    case kShift:
        number = 1 << (four * 8);
        break;
    case kIndex: {
        uint32_t local[4] = {};
        seen = local[four + 1 - 1];
        break;
    }
    case kDivide:
        number = (-most - 1) / ((int) four - 5);
        break;
    case kNoReturn:
        number = Answer(0);
        break;
    case kAligned: {
        uint8_t bytes[8] = {};
        number = *(int *) (bytes + four - 3);
        break;
    }
    case kTruth: {
        uint8_t byte = (uint8_t) four;
        seen = *(bool *) &byte;
        break;
    }
    case kNullArgument: {
        void * volatile none = nullptr;
        memcpy(none, none, four - 4);
        break;
    }
    case kNegate:
        number = -(-most - 1);
        break;
    case kWide: {
        int64_t wide = 0x7fffffffffffffffll;
        wide = wide * four;
        seen = (uint32_t) wide;
        break;
    }
    default: break;
    }
    return kIOReturnSuccess;
}

kern_return_t IMPL(Unsound, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    OSDictionary * properties = nullptr;
    result = CopyProperties(&properties);
    if (result != kIOReturnSuccess) return result;
    OSNumber * way = OSDynamicCast(OSNumber, properties->getObject("Way"));
    result = Break(way == nullptr ? (uint32_t) kFine : way->unsigned32BitValue());
    properties->release();
    return result == kIOReturnSuccess ? RegisterService() : result;
}
