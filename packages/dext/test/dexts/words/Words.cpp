// Nothing here drives hardware: each line is a word that a published driver may use, in our own wording.
#include <algorithm>
#include <array>
#include <atomic>
#include <cinttypes>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <span>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <os/log.h>
#include <os/overflow.h>
#include <sys/types.h>
#include <sys/cdefs.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <machine/endian.h>
#include <errno.h>
#include <libkern/OSByteOrder.h>
#include <libkern/OSAtomic.h>
#include <libkern/OSTypes.h>
#include <AssertMacros.h>
#include <TargetConditionals.h>
#include <DriverKit/IOLib.h>
#include <DriverKit/IOTypes.h>
#include <DriverKit/IOReturn.h>
#include <DriverKit/IOKitKeys.h>
#include <DriverKit/IOUserServer.h>
#include <DriverKit/IOUserClient.h>
#include <DriverKit/IOMemoryMap.h>
#include <DriverKit/IOMemoryDescriptor.h>
#include <DriverKit/IOBufferMemoryDescriptor.h>
#include <DriverKit/IODispatchQueue.h>
#include <DriverKit/IODispatchSource.h>
#include <DriverKit/IOTimerDispatchSource.h>
#include <DriverKit/IOServiceStateNotificationDispatchSource.h>
#include <DriverKit/IOEventLink.h>
#include <DriverKit/IOWorkGroup.h>
#include <DriverKit/OSAction.h>
#include <DriverKit/OSArray.h>
#include <DriverKit/OSBoolean.h>
#include <DriverKit/OSBundle.h>
#include <DriverKit/OSCollection.h>
#include <DriverKit/OSCollections.h>
#include <DriverKit/OSContainer.h>
#include <DriverKit/OSData.h>
#include <DriverKit/OSDictionary.h>
#include <DriverKit/OSMetaClass.h>
#include <DriverKit/OSNumber.h>
#include <DriverKit/OSObject.h>
#include <DriverKit/OSOrderedSet.h>
#include <DriverKit/OSPtr.h>
#include <DriverKit/OSSerialization.h>
#include <DriverKit/OSSet.h>
#include <DriverKit/OSSharedPtr.h>
#include <DriverKit/OSString.h>
#include <DriverKit/OSSymbol.h>
#include "Words.h"
#include "WordsClient.h"

#define LOG_PREFIX "words"
#define Log(fmt, ...) os_log(OS_LOG_DEFAULT, LOG_PREFIX " - %s: " fmt "\n", __FUNCTION__, ##__VA_ARGS__)
#define DBG(...) os_log_debug(OS_LOG_DEFAULT, __VA_ARGS__)

struct Words_IVars {
    IODispatchQueue * queue = nullptr;
    IOTimerDispatchSource * timer {};
    IODataQueueDispatchSource * data;
    IOServiceNotificationDispatchSource * notice;
    OSAction * tick;
    OSAction * dataAction;
    OSAction * noticeAction;
    OSAction * serviced;
    IOLock * lock;
    IORecursiveLock * rlock;
    IORWLock * rwlock;
    std::atomic<uint32_t> count;
    std::atomic_bool flag;
    _Atomic(int) old;
    std::array<uint8_t, 16> bytes;
    OSSharedPtr<OSArray> array;
    OSPtr<OSString> name;
    uint64_t received;
};

bool Words::init(void)
{
    auto result = super::init();
    if (!result) return false;
    ivars = IONewZero(Words_IVars, 1);
    require(ivars != nullptr, Exit);
    require_action(result, Exit, result = false);
    require_noerr(0, Exit);
    return true;
Exit:
    return false;
}
void Words::free(void)
{
    if (ivars) {
        if (ivars->lock) { IOLockFree(ivars->lock); ivars->lock = nullptr; }
        if (ivars->rlock) IORecursiveLockFree(ivars->rlock);
        if (ivars->rwlock) IORWLockFree(ivars->rwlock);
        ivars->array = nullptr;
        OSSafeReleaseNULL(ivars->name);
        OSSafeReleaseNULL(ivars->queue);
        OSSafeReleaseNULL(ivars->timer);
        OSSafeReleaseNULL(ivars->data);
        OSSafeReleaseNULL(ivars->notice);
        OSSafeReleaseNULL(ivars->tick);
        OSSafeReleaseNULL(ivars->dataAction);
        OSSafeReleaseNULL(ivars->noticeAction);
        OSSafeReleaseNULL(ivars->serviced);
    }
    IOSafeDeleteNULL(ivars, Words_IVars, 1);
    super::free();
}
static void collections(void)
{
    auto array = OSSharedPtr(OSArray::withCapacity(4), OSNoRetain);
    OSNumber * number = OSNumber::withNumber(42ULL, 64);
    OSString * text = OSString::withCString("text");
    OSBoolean * yes = kOSBooleanTrue;
    array->setObject(number);
    array->setObject(text);
    array->setObject(yes);
    OSDictionary * table = OSDictionary::withCapacity(4);
    table->setObject("number", number);
    table->setObject(text, number);
    OSDictionarySetUInt64Value(table, "n64", 7);
    OSDictionarySetStringValue(table, "s", "v");
    OSDictionarySetValue(table, "b", kOSBooleanFalse);
    OSData * data = OSData::withBytes("abc", 3);
    data->appendBytes("d", 1);
    table->setObject("data", data);
    if (auto found = OSDynamicCast(OSNumber, table->getObject("number"))) Log("number %llu %u %{public}s", found->unsigned64BitValue(), found->unsigned32BitValue(), text->getCStringNoCopy());
    array->iterateObjects(^bool(OSObject * object) { return object == nullptr; });
    table->iterateObjects(^bool(OSObject * key, OSObject * value) { auto k = OSDynamicCast(OSString, key); Log("%s %p", k->getCStringNoCopy(), value); return false; });
    for (unsigned int i = 0; i < array->getCount(); ++i) { OSObject * o = array->getObject(i); if (auto s = OSDynamicCast(OSString, o); s != nullptr) Log("%zu", s->getLength()); }
    OSSet * set = OSSet::withCapacity(2);
    set->setObject(number);
    OSSerialization * serial = OSSerialization::createFromObject(table);
    OSCollection * copy = table->copyCollection(nullptr);
    OSSafeReleaseNULL(copy);
    OSSafeReleaseNULL(serial);
    OSSafeReleaseNULL(set);
    OSSafeReleaseNULL(data);
    OSSafeReleaseNULL(table);
    OSSafeReleaseNULL(text);
    OSSafeReleaseNULL(number);
}
kern_return_t IMPL(Words, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (kIOReturnSuccess != ret) { os_log_error(OS_LOG_DEFAULT, "failed 0x%08x", ret); return ret; }
    collections();
    ivars->lock = IOLockAlloc();
    ivars->rlock = IORecursiveLockAlloc();
    ivars->rwlock = IORWLockAlloc();
    IOLockLock(ivars->lock);
    IOLockUnlock(ivars->lock);
    IORWLockRead(ivars->rwlock);
    IORWLockUnlock(ivars->rwlock);
    ivars->count.fetch_add(1);
    ivars->old++;
    OSIncrementAtomic((volatile int32_t *) &ivars->received);
    std::sort(ivars->bytes.begin(), ivars->bytes.end());
    std::fill(ivars->bytes.begin(), ivars->bytes.end(), 1);
    uint32_t sum = 0;
    if (os_add_overflow(1u, 2u, &sum)) return kIOReturnOverrun;
    Log("%u %" PRIu64 " %d %.2f %lu", sum, (uint64_t) 5, (int) std::min(3, 4), pow(2.0, 3), (unsigned long) MIN(2, 3));
    ret = IODispatchQueue::Create("WordsWork", 0, 0, &ivars->queue);
    if (ret != kIOReturnSuccess) return ret;
    ret = SetDispatchQueue("WordsWork", ivars->queue);
    ret = IOTimerDispatchSource::Create(ivars->queue, &ivars->timer);
    ret = CreateActionTick(sizeof(uint64_t), &ivars->tick);
    *(uint64_t *) ivars->tick->GetReference() = 3;
    ret = ivars->timer->SetHandler(ivars->tick);
    ivars->timer->SetEnable(true);
    ivars->timer->WakeAtTime(kIOTimerClockMachAbsoluteTime, mach_absolute_time() + 1000000, 1000);
    ret = IODataQueueDispatchSource::Create(4096, ivars->queue, &ivars->data);
    if (ret == kIOReturnSuccess) {
        ret = CreateActionData(0, &ivars->dataAction);
        ret = CreateActionServiced(0, &ivars->serviced);
        ivars->data->SetDataAvailableHandler(ivars->dataAction);
        ivars->data->SetDataServicedHandler(ivars->serviced);
        ivars->data->SetEnable(true);
        ret = ivars->data->Enqueue(8, ^(void * data, size_t size) { memset(data, 0x5a, size); });
        Log("enqueue %x, available %d, can %x", ret, ivars->data->IsDataAvailable(), ivars->data->CanEnqueueData(100));
    }
    OSDictionary * matching = CreateNameMatchingDictionary("Words", nullptr);
    ret = IOServiceNotificationDispatchSource::Create(matching, 0, ivars->queue, &ivars->notice);
    if (ret == kIOReturnSuccess) {
        CreateActionNoticed(0, &ivars->noticeAction);
        ivars->notice->SetHandler(ivars->noticeAction);
        ivars->notice->SetEnable(true);
    }
    OSSafeReleaseNULL(matching);
    IOBufferMemoryDescriptor * memory = nullptr;
    IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, 4096, 16, &memory);
    IOMemoryMap * map = nullptr;
    memory->CreateMapping(0, 0, 0, 0, 0, &map);
    Log("map %llx %llu", map->GetAddress(), map->GetLength());
    uint64_t address = 0, length = 0;
    memory->Map(0, 0, 0, 0, &address, &length);
    IOMemoryDescriptor * sub = nullptr;
    IOMemoryDescriptor::CreateSubMemoryDescriptor(kIOMemoryDirectionInOut, 16, 32, memory, &sub);
    OSSafeReleaseNULL(sub);
    OSSafeReleaseNULL(map);
    OSSafeReleaseNULL(memory);
    OSDictionary * properties = nullptr;
    CopyProperties(&properties);
    OSSafeReleaseNULL(properties);
    OSString * said = nullptr; StringFromReturn(kIOReturnBadArgument, &said); if (said) Log("%{public}s", said->getCStringNoCopy()); OSSafeReleaseNULL(said);
    OSContainer * found = nullptr;
    if (SearchProperty("IOUserClass", "IOService", kIOServiceSearchPropertyParents, &found) == kIOReturnSuccess) OSSafeReleaseNULL(found);
    ivars->queue->DispatchAsync(^{ Handle(1); });
    ivars->queue->DispatchSync(^{ Handle(2); });
    IOSleep(1);
    uint64_t now = clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
    mach_timebase_info_data_t base;
    mach_timebase_info(&base);
    (void) now;
    SetName("Words");
    AdjustBusy(0);
    if (__builtin_available(driverkit 21.0, *)) Log("new");
    return RegisterService();
}
void Words::Handle(uint32_t a) { Log("handle %u %s", a, Name()); }
const char * Words::Name() const { return "words"; }
int Words::Twice(int a) { return 2 * a; }
IODispatchQueue * Words::WorkQueue() { return ivars->queue; }
bool Words::isReady(uint32_t which, const WordsRecord & record) { return which == record.a; }
void IMPL(Words, Tick) { Log("tick %llu %llu", time, *(uint64_t *) action->GetReference()); }
void IMPL(Words, Data)
{
    kern_return_t ret;
    while ((ret = ivars->data->Dequeue(^(const void * data, size_t size) { Log("got %zu %02x", size, *(const uint8_t *) data); })) == kIOReturnSuccess) {}
    Log("drained %x", ret);
}
void IMPL(Words, Serviced) {}
void IMPL(Words, Noticed)
{
    ivars->notice->DeliverNotifications(^(uint64_t type, IOService * service, uint64_t options) { Log("notice %llu %p", type, service); });
}
kern_return_t IMPL(Words, SetProperties) { return SetProperties(properties, SUPERDISPATCH); }
kern_return_t IMPL(Words, SetPowerState) { return SetPowerState(powerFlags, SUPERDISPATCH); }
kern_return_t IMPL(Words, Stop)
{
    __block _Atomic uint32_t left = 0;
    if (ivars->timer) ++left;
    if (ivars->tick) ++left;
    if (ivars->data) ++left;
    if (ivars->dataAction) ++left;
    if (ivars->serviced) ++left;
    if (ivars->notice) ++left;
    if (ivars->noticeAction) ++left;
    void (^finish)(void) = ^{ if (--left == 0) { Stop(provider, SUPERDISPATCH); } };
    if (ivars->timer) ivars->timer->Cancel(finish);
    if (ivars->data) ivars->data->Cancel(finish);
    if (ivars->notice) ivars->notice->Cancel(finish);
    if (ivars->tick) ivars->tick->Cancel(finish);
    if (ivars->dataAction) ivars->dataAction->Cancel(finish);
    if (ivars->serviced) ivars->serviced->Cancel(finish);
    if (ivars->noticeAction) ivars->noticeAction->Cancel(finish);
    return kIOReturnSuccess;
}
kern_return_t IMPL(Words, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t ret = Create(this, "ClientProperties", &client);
    if (ret != kIOReturnSuccess) return ret;
    *userClient = OSDynamicCast(IOUserClient, client);
    return ret;
}
struct WordsClient_IVars { Words * words; IOBufferMemoryDescriptor * shared; OSAction * callback; };
static const IOUserClientMethodDispatch methods[kWordsCount] = {
    [kWordsFirst] = { .function = (IOUserClientMethodFunction) &WordsClient::StaticFirst, .checkCompletionExists = false, .checkScalarInputCount = 1, .checkStructureInputSize = 0, .checkScalarOutputCount = 1, .checkStructureOutputSize = 0 },
    [kWordsSecond] = { .function = (IOUserClientMethodFunction) &WordsClient::StaticSecond, .checkCompletionExists = false, .checkScalarInputCount = 0, .checkStructureInputSize = sizeof(WordsRecord), .checkScalarOutputCount = 0, .checkStructureOutputSize = sizeof(WordsRecord) },
};
bool WordsClient::init() { if (!super::init()) return false; ivars = IONewZero(WordsClient_IVars, 1); return ivars != nullptr; }
void WordsClient::free() { OSSafeReleaseNULL(ivars->shared); IOSafeDeleteNULL(ivars, WordsClient_IVars, 1); super::free(); }
kern_return_t IMPL(WordsClient, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return ret;
    ivars->words = OSDynamicCast(Words, provider);
    return IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, PAGE_SIZE, 0, &ivars->shared);
}
kern_return_t IMPL(WordsClient, Stop) { return Stop(provider, SUPERDISPATCH); }
kern_return_t WordsClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments, const IOUserClientMethodDispatch * dispatch, OSObject * target, void * reference)
{
    if (selector < kWordsCount) { dispatch = &methods[selector]; if (!target) target = this; }
    return super::ExternalMethod(selector, arguments, dispatch, target, reference);
}
kern_return_t WordsClient::StaticFirst(OSObject * target, void * reference, IOUserClientMethodArguments * arguments) { return ((WordsClient *) target)->First(arguments); }
kern_return_t WordsClient::First(IOUserClientMethodArguments * arguments) { arguments->scalarOutput[0] = arguments->scalarInput[0] + 1; return kIOReturnSuccess; }
kern_return_t WordsClient::StaticSecond(OSObject * target, void *, IOUserClientMethodArguments * arguments) { return static_cast<WordsClient *>(target)->Second(arguments); }
kern_return_t WordsClient::Second(IOUserClientMethodArguments * arguments)
{
    const WordsRecord * in = (const WordsRecord *) arguments->structureInput->getBytesNoCopy();
    WordsRecord out = { .a = in->a + 1, .b = in->b };
    arguments->structureOutput = OSData::withBytes(&out, sizeof(out));
    return kIOReturnSuccess;
}
kern_return_t IMPL(WordsClient, CopyClientMemoryForType)
{
    if (type != 0) return CopyClientMemoryForType(type, options, memory, SUPERDISPATCH);
    if (options) *options = kIOUserClientMemoryReadOnly;
    ivars->shared->retain();
    *memory = ivars->shared;
    return kIOReturnSuccess;
}
