// Memory, time, logging, locks: the functions of DriverKit that belong to no object.
#pragma once
#include <DriverKit/IOReturn.h>
#include <drydock/class.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PAGE_SIZE
#define PAGE_SIZE 16384
#endif

extern "C" {
int IOLog(const char * format, ...) __printflike(1, 2);
int IOLogv(const char * format, va_list ap);
void IOLogBuffer(const char * title, const void * buffer, size_t size);
void IOSleep(uint64_t ms);
void IODelay(uint64_t us);
void * IOMalloc(size_t length);
void * IOMallocZero(size_t length);
void * IOMallocTyped(size_t length, malloc_type_id_t type_id);
void * IOMallocZeroTyped(size_t length, malloc_type_id_t type_id);
void IOFree(void * address, size_t length);
uint64_t mach_absolute_time(void);
uint64_t mach_continuous_time(void);
struct mach_timebase_info { uint32_t numer; uint32_t denom; };
kern_return_t mach_timebase_info(struct mach_timebase_info * info);
uint64_t clock_gettime_nsec_np(int clock);
uint32_t crc32(uint32_t crc, const void * buf, size_t size);
size_t strlcpy(char * to, const char * from, size_t size);
size_t strlcat(char * to, const char * from, size_t size);
size_t strnlen(const char * text, size_t most);
int memset_s(void * to, size_t room, int value, size_t size);
void panic(const char * format, ...) __attribute__((noreturn, format(printf, 1, 2)));
bool IOParseBootArgNumber(const char * arg_string, void * arg_ptr, int max_len);
bool IOParseBootArgString(const char * arg_string, char * arg_ptr, int max_len);
extern uint64_t IOVMPageSize;

typedef struct mach_timebase_info mach_timebase_info_data_t;

struct IOLock * IOLockAlloc();
void IOLockFree(struct IOLock * lock);
void IOLockLock(struct IOLock * lock);
bool IOLockTryLock(struct IOLock * lock);
void IOLockUnlock(struct IOLock * lock);
typedef enum { kIOLockAssertOwned, kIOLockAssertNotOwned } IOLockAssertState;
void IOLockAssert(struct IOLock * lock, IOLockAssertState type);
struct IORecursiveLock * IORecursiveLockAlloc();
void IORecursiveLockFree(struct IORecursiveLock * lock);
void IORecursiveLockLock(struct IORecursiveLock * lock);
bool IORecursiveLockTryLock(struct IORecursiveLock * lock);
void IORecursiveLockUnlock(struct IORecursiveLock * lock);
bool IORecursiveLockHaveLock(struct IORecursiveLock * lock);
struct IORWLock * IORWLockAlloc();
void IORWLockFree(struct IORWLock * lock);
void IORWLockRead(struct IORWLock * lock);
void IORWLockWrite(struct IORWLock * lock);
void IORWLockUnlock(struct IORWLock * lock);
kern_return_t IOThreadLocalStorageKeyCreate(uint64_t * key);
kern_return_t IOThreadLocalStorageKeyDelete(uint64_t key);
void * IOThreadLocalStorageGet(uint64_t key);
kern_return_t IOThreadLocalStorageSet(uint64_t key, const void * value);
}

typedef void (^IOCallOnceBlock)(void);
struct IOCallOnceFlag { intptr_t done; };
void IOCallOnce(struct IOCallOnceFlag * flag, IOCallOnceBlock block);

#ifndef CLOCK_UPTIME_RAW
#define CLOCK_UPTIME_RAW 8
#define CLOCK_UPTIME_RAW_APPROX 9
#define CLOCK_MONOTONIC_RAW 4
#endif

#define IONew(type, count) ((type *) IOMalloc(sizeof(type) * (count)))
#define IONewZero(type, count) ((type *) IOMallocZero(sizeof(type) * (count)))
#define IODelete(ptr, type, count) IOFree((ptr), sizeof(type) * (count))
#define IOSafeDeleteNULL(ptr, type, count)                                 \
    do {                                                                   \
        if ((ptr) != NULL) IOFree((void *) (ptr), sizeof(type) * (count)); \
        (ptr) = NULL;                                                      \
    } while (0)
#define IOMallocType(type) ((type *) IOMallocZero(sizeof(type)))
#define IOFreeType(ptr, type) IOFree((ptr), sizeof(type))

static inline IOFixed IOFixedMultiply(IOFixed a, IOFixed b) { return (IOFixed) (((int64_t) a * (int64_t) b) >> 16); }
static inline IOFixed IOFixedDivide(IOFixed a, IOFixed b) { return (IOFixed) ((((int64_t) a) << 16) / (int64_t) b); }

#ifndef min
template <typename T> static inline T min(T a, T b) { return a < b ? a : b; }
template <typename T> static inline T max(T a, T b) { return a > b ? a : b; }
#endif
