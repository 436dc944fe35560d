// What the C++ runtime asks of the host.
#pragma once
#include <DriverKit/IOLib.h>
#include <drydock/class.h>

/** Trouble kinds; the host has the same list (host/trouble.ts). */
enum DrydockTrouble : uint32_t {
    drydockNullReceiver = 1,
    drydockDeadReceiver,
    drydockNotAnObject,
    drydockOverRelease,
    drydockFreeOfNothing,
    drydockFreedTwice,
    drydockFreeSize,
    drydockPastEnd,
    drydockBadCast,
    drydockPanic,
    drydockMissingSuper,
    drydockLockState,
    drydockPureVirtual,
};

DRYDOCK_IMPORT("drydock", "created") void drydock_host_created(const void * object, const DrydockRecord * record);
DRYDOCK_IMPORT("drydock", "counted") void drydock_host_counted(const void * object, int32_t count);
DRYDOCK_IMPORT("drydock", "freed") void drydock_host_freed(const void * object);
DRYDOCK_IMPORT("drydock", "trouble") void drydock_host_trouble(uint32_t kind, const void * object, const char * what, uint32_t number) __attribute__((noreturn));
DRYDOCK_IMPORT("drydock", "allocated") void drydock_host_allocated(void * at, size_t size);
DRYDOCK_IMPORT("drydock", "released") void drydock_host_released(void * at);
DRYDOCK_IMPORT("drydock", "may_allocate") int32_t drydock_host_may_allocate(size_t size);
DRYDOCK_IMPORT("drydock", "log") void drydock_host_log(uint32_t type, const char * format, const void * arguments);
DRYDOCK_IMPORT("drydock", "IOSleep") void drydock_host_sleep(uint64_t nanoseconds);
DRYDOCK_IMPORT("drydock", "now") uint64_t drydock_host_now(void);
DRYDOCK_IMPORT("drydock", "task") uint32_t drydock_host_task(void);
DRYDOCK_IMPORT("drydock", "IOLockLock") void drydock_host_wait_for_lock(const void * lock, uint32_t holder);
DRYDOCK_IMPORT("drydock", "unlocked") void drydock_host_unlocked(const void * lock);
DRYDOCK_IMPORT("drydock", "create_action") kern_return_t drydock_host_create_action(void * target, uint64_t targetMethodId, uint64_t callbackId, size_t referenceSize, const char * typeName, OSAction ** action);

extern "C" {
extern uint32_t drydock_traces_counts;
extern uint32_t drydock_fill;
}
