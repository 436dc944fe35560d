// Which bytes the dext's own code may touch, told by whoever hands memory out. Nothing happens unless it was built with --sanitize.
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Values of the shadow: 0 the eight bytes are free to use, 1 to 7 the first of them; else why not (host/shadow-text.ts has the same list). */
enum DrydockShadow : uint8_t {
    drydockShadowLow = 0xfe,
    drydockShadowBeside = 0xfa,
    drydockShadowFreed = 0xfd,
    drydockShadowDead = 0xfc,
    drydockShadowGlobal = 0xf9,
    drydockShadowAlloca = 0xca,
};

extern "C" {
extern uint32_t drydock_has_shadow;
void drydock_shadow_set(const void * at, size_t size, uint8_t value);
void drydock_shadow_check(const void * at, size_t size, uint32_t isWrite);
}

static inline void drydockForbid(const void * at, size_t size, DrydockShadow why)
{
    if (drydock_has_shadow) drydock_shadow_set(at, size, why);
}
/** `at` on a multiple of eight. */
static inline void drydockAllow(const void * at, size_t size)
{
    if (drydock_has_shadow) drydock_shadow_set(at, size, 0);
}
/** Before the runtime touches memory for the dext, by an address that the dext gave. */
static inline void drydockTouch(const void * at, size_t size, bool isWrite)
{
    if (drydock_has_shadow) drydock_shadow_check(at, size, isWrite);
}
