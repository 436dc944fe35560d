// The functions of DriverKit that belong to no object: memory with guards, time, logs, locks.
#include "host.h"
#include "shadow.h"
#include <os/log.h>

extern "C" {
uint32_t drydock_fill = 0xa5;
uint64_t IOVMPageSize = 16384;
}

// Memory: eight bytes of size and eight of mark before it, sixteen of mark behind it.

namespace {
const uint64_t headMark = 0x5afe5afe0b10c4edull;
const uint64_t goneMark = 0x60e60e60e0b10c4eull;
const uint8_t tailByte = 0x6b;
const size_t tailBytes = 16;
/** Behind a block when the shadow watches it: an index that is a little too large lands there. */
const size_t shadowTailBytes = 64;
/** `lead`: bytes between what malloc gave and the block's first byte. */
struct Head { uint32_t size; uint32_t lead; uint64_t mark; };

/** Those that were given up last: until their turn comes nobody else gets their memory, and a late use shows. */
const size_t keptBlocks = 4096;
const size_t keptBytes = 4 * 1024 * 1024;
Head * keptList[keptBlocks];
size_t keptFirst = 0;
size_t keptCount = 0;
size_t keptSize = 0;

void forget()
{
    Head * head = keptList[keptFirst];
    keptFirst = (keptFirst + 1) % keptBlocks;
    keptCount--;
    keptSize -= (size_t) head->size;
    uint8_t * start = (uint8_t *) (head + 1) - head->lead;
    drydockAllow(start, head->lead + (size_t) head->size + shadowTailBytes);
    free(start);
}

void keep(Head * head)
{
    keptList[(keptFirst + keptCount) % keptBlocks] = head;
    keptCount++;
    keptSize += (size_t) head->size;
    while (keptCount == keptBlocks || keptSize > keptBytes) forget();
}

/** Its first byte on a multiple of `alignment`, at least 16, guarded on both sides. */
uint8_t * makeBlock(size_t size, int fill, size_t alignment = sizeof(Head))
{
    size_t behind = size + (drydock_has_shadow ? shadowTailBytes : tailBytes);
    size_t whole = (alignment + behind + alignment - 1) / alignment * alignment;
    uint8_t * start = (uint8_t *) aligned_alloc(alignment, whole);
    while (start == nullptr && keptCount > 0) {
        forget();
        start = (uint8_t *) aligned_alloc(alignment, whole);
    }
    if (start == nullptr) return nullptr;
    uint8_t * bytes = start + alignment;
    Head * head = (Head *) bytes - 1;
    head->size = (uint32_t) size;
    head->lead = (uint32_t) alignment;
    head->mark = headMark;
    memset(bytes, fill, size);
    memset(bytes + size, tailByte, tailBytes);
    drydockForbid(start, alignment, drydockShadowBeside);
    drydockAllow(bytes, size);
    drydockForbid(bytes + size, shadowTailBytes, drydockShadowBeside);
    return bytes;
}

void * allocate(size_t size, bool zero)
{
    if (size == 0 || size > 0x7fff0000u || !drydock_host_may_allocate(size)) return nullptr;
    uint8_t * bytes = makeBlock(size, zero ? 0 : (int) (drydock_fill & 0xff));
    if (bytes != nullptr) drydock_host_allocated(bytes, size);
    return bytes;
}

void checkTail(uint8_t * bytes, size_t size)
{
    for (size_t index = 0; index < tailBytes; index++)
        if (bytes[size + index] != tailByte) drydock_host_trouble(drydockPastEnd, bytes, "memory", (uint32_t) size);
}

/** `size` SIZE_MAX: whatever it has, as delete and free take it. */
void release(void * at, size_t size)
{
    if (at == nullptr) return;
    Head * head = (Head *) at - 1;
    if (head->mark == goneMark) drydock_host_trouble(drydockFreedTwice, at, "memory", (uint32_t) size);
    if (head->mark != headMark) drydock_host_trouble(drydockFreeOfNothing, at, "memory", (uint32_t) size);
    if (size != SIZE_MAX && head->size != size) drydock_host_trouble(drydockFreeSize, at, "memory", (uint32_t) size);
    checkTail((uint8_t *) at, (size_t) head->size);
    head->mark = goneMark;
    memset(at, 0xde, (size_t) head->size);
    drydockForbid(at, (size_t) head->size, drydockShadowFreed);
    drydock_host_released(at);
    keep(head);
}
}

DRYDOCK_EXPORT(drydock_set_fill) void drydock_set_fill(uint32_t fill) { drydock_fill = fill; }
DRYDOCK_EXPORT(drydock_raw_allocate) void * drydock_raw_allocate(size_t size) { return malloc(size); }
DRYDOCK_EXPORT(drydock_raw_free) void drydock_raw_free(void * at) { free(at); }
/** Memory of a descriptor: zeroed, guarded as the rest; its tail is looked at when the host asks. */
DRYDOCK_EXPORT(drydock_buffer_allocate) void * drydock_buffer_allocate(size_t size, uint32_t fill, size_t alignment)
{
    return makeBlock(size, (int) fill, alignment);
}
DRYDOCK_EXPORT(drydock_buffer_free) void drydock_buffer_free(uint8_t * bytes)
{
    Head * head = (Head *) bytes - 1;
    if (head->mark != headMark) drydock_host_trouble(drydockPastEnd, bytes, "a buffer", (uint32_t) head->size);
    checkTail(bytes, (size_t) head->size);
    head->mark = goneMark;
    memset(bytes, 0xde, (size_t) head->size);
    if (!drydock_has_shadow) return free(bytes - head->lead);
    drydockForbid(bytes, (size_t) head->size, drydockShadowFreed);
    keep(head);
}

void * operator new(size_t size) { return allocate(size ? size : 1, false); }
void * operator new[](size_t size) { return allocate(size ? size : 1, false); }
void operator delete(void * at) noexcept { release(at, SIZE_MAX); }
void operator delete[](void * at) noexcept { release(at, SIZE_MAX); }
void operator delete(void * at, size_t) noexcept { release(at, SIZE_MAX); }
void operator delete[](void * at, size_t) noexcept { release(at, SIZE_MAX); }

extern "C" {
void * IOMalloc(size_t length) { return allocate(length, false); }
void * IOMallocZero(size_t length) { return allocate(length, true); }
void * IOMallocTyped(size_t length, malloc_type_id_t) { return allocate(length, false); }
void * IOMallocZeroTyped(size_t length, malloc_type_id_t) { return allocate(length, true); }
void IOFree(void * address, size_t length) { release(address, length); }

// Logs

/** IOLog makes its text itself: nothing in it is private. */
enum { plainText = 0x100 };
static void logList(uint32_t type, const char * format, va_list arguments) { drydock_host_log(type, format, *(void **) &arguments); }
int IOLogv(const char * format, va_list ap)
{
    logList(plainText, format, ap);
    return 0;
}
int IOLog(const char * format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    logList(plainText, format, arguments);
    va_end(arguments);
    return 0;
}
void drydock_os_log(os_log_t log, os_log_type_t type, const char * format, ...)
{
    if (log == OS_LOG_DISABLED) return;
    va_list arguments;
    va_start(arguments, format);
    logList(type, format, arguments);
    va_end(arguments);
}
os_log_t os_log_create(const char *, const char *) { return OS_LOG_DEFAULT; }
void IOLogBuffer(const char * title, const void * buffer, size_t size)
{
    const uint8_t * bytes = (const uint8_t *) buffer;
    char line[64];
    for (size_t at = 0; at < size; at += 16) {
        size_t length = 0;
        for (size_t index = at; index < size && index < at + 16; index++) length += (size_t) snprintf(line + length, sizeof line - length, "%02x ", bytes[index]);
        IOLog("%s %04x: %s", title, (unsigned) at, line);
    }
}
void panic(const char * format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    drydock_host_trouble(drydockPanic, nullptr, text, 0);
}
void abort(void) { drydock_host_trouble(drydockPanic, nullptr, "abort() was called", 0); }
void __assert_fail(const char * what, const char *, int line, const char *) { drydock_host_trouble(drydockPanic, nullptr, what, (uint32_t) line); }

// Time

void IOSleep(uint64_t ms) { drydock_host_sleep(ms * 1000000); }
void IODelay(uint64_t us) { drydock_host_sleep(us * 1000); }
uint64_t mach_absolute_time(void) { return drydock_host_now(); }
uint64_t mach_continuous_time(void) { return drydock_host_now(); }
uint64_t clock_gettime_nsec_np(int) { return drydock_host_now(); }
kern_return_t mach_timebase_info(struct mach_timebase_info * info)
{
    info->numer = info->denom = 1;
    return 0;
}

// Text and sums

size_t strlcpy(char * to, const char * from, size_t size)
{
    size_t length = strlen(from);
    if (size > 0) {
        size_t count = length < size - 1 ? length : size - 1;
        drydockTouch(to, count + 1, true);
        memcpy(to, from, count);
        to[count] = 0;
    }
    return length;
}
size_t strlcat(char * to, const char * from, size_t size)
{
    size_t used = strnlen(to, size);
    return used == size ? size + strlen(from) : used + strlcpy(to + used, from, size - used);
}
int memset_s(void * to, size_t room, int value, size_t size)
{
    drydockTouch(to, size < room ? size : room, true);
    memset(to, value, size < room ? size : room);
    return size > room;
}
uint32_t crc32(uint32_t crc, const void * buf, size_t size)
{
    const uint8_t * bytes = (const uint8_t *) buf;
    crc = ~crc;
    for (size_t index = 0; index < size; index++) {
        crc ^= bytes[index];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}
bool IOParseBootArgNumber(const char *, void *, int) { return false; }
bool IOParseBootArgString(const char *, char *, int) { return false; }

// Locks: `holder` is a task of the host, 0 when free.

struct IOLock { uint32_t holder; uint32_t depth; uint32_t readers; };
struct IORecursiveLock { IOLock lock; };
struct IORWLock { IOLock lock; };

static void take(IOLock * lock)
{
    uint32_t me = drydock_host_task();
    while (lock->holder != 0 || lock->readers != 0) drydock_host_wait_for_lock(lock, lock->holder);
    lock->holder = me;
}
static void give(IOLock * lock, const char * call)
{
    if (lock->holder != drydock_host_task()) drydock_host_trouble(drydockLockState, lock, call, lock->holder);
    lock->holder = 0;
    drydock_host_unlocked(lock);
}
static IOLock * makeLock() { return drydock_host_may_allocate(sizeof(IOLock)) ? (IOLock *) calloc(1, sizeof(IOLock)) : nullptr; }
static void freeLock(IOLock * lock, const char * call)
{
    if (lock == nullptr) return;
    if (lock->holder != 0) drydock_host_trouble(drydockLockState, lock, call, lock->holder);
    free(lock);
}
struct IOLock * IOLockAlloc() { return makeLock(); }
void IOLockFree(struct IOLock * lock) { freeLock(lock, "IOLockFree of a lock that is held"); }
void IOLockLock(struct IOLock * lock) { take(lock); }
bool IOLockTryLock(struct IOLock * lock)
{
    if (lock->holder != 0) return false;
    lock->holder = drydock_host_task();
    return true;
}
void IOLockUnlock(struct IOLock * lock) { give(lock, "IOLockUnlock by who does not hold it"); }
void IOLockAssert(struct IOLock * lock, IOLockAssertState type)
{
    if ((lock->holder == drydock_host_task()) != (type == kIOLockAssertOwned)) drydock_host_trouble(drydockLockState, lock, "IOLockAssert", lock->holder);
}
struct IORecursiveLock * IORecursiveLockAlloc() { return (IORecursiveLock *) makeLock(); }
void IORecursiveLockFree(struct IORecursiveLock * lock) { freeLock(&lock->lock, "IORecursiveLockFree of a lock that is held"); }
void IORecursiveLockLock(struct IORecursiveLock * lock)
{
    if (lock->lock.holder != drydock_host_task()) take(&lock->lock);
    lock->lock.depth++;
}
bool IORecursiveLockTryLock(struct IORecursiveLock * lock)
{
    if (lock->lock.holder != 0 && lock->lock.holder != drydock_host_task()) return false;
    lock->lock.holder = drydock_host_task();
    lock->lock.depth++;
    return true;
}
void IORecursiveLockUnlock(struct IORecursiveLock * lock)
{
    if (lock->lock.depth == 0) drydock_host_trouble(drydockLockState, lock, "IORecursiveLockUnlock of a lock that is free", 0);
    if (--lock->lock.depth == 0) give(&lock->lock, "IORecursiveLockUnlock by who does not hold it");
}
bool IORecursiveLockHaveLock(struct IORecursiveLock * lock) { return lock->lock.holder == drydock_host_task(); }
struct IORWLock * IORWLockAlloc() { return (IORWLock *) makeLock(); }
void IORWLockFree(struct IORWLock * lock) { freeLock(&lock->lock, "IORWLockFree of a lock that is held"); }
void IORWLockRead(struct IORWLock * lock)
{
    while (lock->lock.holder != 0) drydock_host_wait_for_lock(lock, lock->lock.holder);
    lock->lock.readers++;
}
void IORWLockWrite(struct IORWLock * lock) { take(&lock->lock); }
void IORWLockUnlock(struct IORWLock * lock)
{
    if (lock->lock.readers > 0) {
        lock->lock.readers--;
        drydock_host_unlocked(lock);
    } else give(&lock->lock, "IORWLockUnlock by who does not hold it");
}

static const void * locals[64];
static uint64_t localKeys = 0;
kern_return_t IOThreadLocalStorageKeyCreate(uint64_t * key)
{
    if (localKeys >= 64) return kIOReturnNoResources;
    *key = localKeys++;
    return kIOReturnSuccess;
}
kern_return_t IOThreadLocalStorageKeyDelete(uint64_t key) { return key < localKeys ? kIOReturnSuccess : kIOReturnBadArgument; }
void * IOThreadLocalStorageGet(uint64_t key) { return key < localKeys ? (void *) locals[key] : nullptr; }
kern_return_t IOThreadLocalStorageSet(uint64_t key, const void * value)
{
    if (key >= localKeys) return kIOReturnBadArgument;
    locals[key] = value;
    return kIOReturnSuccess;
}
}

void IOCallOnce(struct IOCallOnceFlag * flag, IOCallOnceBlock block)
{
    if (flag->done) return;
    flag->done = 1;
    block();
}
