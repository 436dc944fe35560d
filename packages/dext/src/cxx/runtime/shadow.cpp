// The shadow that -fsanitize=address asks: one byte for eight, at an eighth of the address, and its entry points.
// Names and duties of the entry points: LLVM's AddressSanitizer pass, as its output calls them.
#include "host.h"
#include "shadow.h"

extern "C" {
uint32_t drydock_has_shadow = 0;
extern uint8_t __global_base;
}

DRYDOCK_IMPORT("drydock", "bad_access") void drydock_host_bad_access(uint32_t isWrite, uint32_t at, uint32_t size, uint32_t bad, uint32_t shadow) __attribute__((noreturn));
DRYDOCK_IMPORT("drydock", "globals") void drydock_host_globals(const void * list, uint32_t count);

namespace {
const uint32_t pageBytes = 65536;

uint8_t * shadowOf(uintptr_t at) { return (uint8_t *) (at >> 3); }
bool isGood(uintptr_t at)
{
    int8_t value = (int8_t) *shadowOf(at);
    return value == 0 || (value > 0 && (int8_t) (at & 7) < value);
}

void check(uintptr_t at, size_t size, bool isWrite)
{
    if (!drydock_has_shadow || size == 0) return;
    uint64_t end = (uint64_t) at + size;
    if (end > (uint64_t) __builtin_wasm_memory_size(0) * pageBytes) drydock_host_bad_access(isWrite, at, size, at, 0);
    for (uintptr_t each = at; each < end; each = (each | 7) + 1) {
        uintptr_t last = (each | 7) < end ? (each | 7) : (uintptr_t) end - 1;
        // What is good at the end of eight bytes is good before it too.
        if (isGood(last)) continue;
        while (isGood(each)) each++;
        uint8_t why = *shadowOf(each);
        // A few bytes are free, and this is none of them: what lies behind says why.
        if (why > 0 && why < 8) why = *shadowOf(each + 8);
        drydock_host_bad_access(isWrite, at, size, each, why);
    }
}
}

extern "C" {
void drydock_shadow_check(const void * at, size_t size, uint32_t isWrite) { check((uintptr_t) at, size, isWrite != 0); }

void drydock_shadow_set(const void * from, size_t size, uint8_t value)
{
    uintptr_t at = (uintptr_t) from;
    uintptr_t end = at + size;
    if (value == 0) {
        memset(shadowOf(at), 0, (end >> 3) - (at >> 3));
        if (end & 7) *shadowOf(end) = (uint8_t) (end & 7);
        return;
    }
    // Eight bytes of which the first are free stay so.
    at = (at + 7) & ~(uintptr_t) 7;
    if (end > at) memset(shadowOf(at), value, ((end + 7) >> 3) - (at >> 3));
}

void __asan_init(void)
{
    if (drydock_has_shadow) return;
    drydock_has_shadow = 1;
    memset(shadowOf(0), drydockShadowLow, (uintptr_t) &__global_base >> 3);
}
void __asan_version_mismatch_check_v8(void) {}
void __asan_handle_no_return(void) {}
void __asan_before_dynamic_init(const char *) {}
void __asan_after_dynamic_init(void) {}

#define DRYDOCK_ACCESS(size)                                                              \
    void __asan_load##size(uintptr_t at) { check(at, size, false); }                       \
    void __asan_store##size(uintptr_t at) { check(at, size, true); }
DRYDOCK_ACCESS(1)
DRYDOCK_ACCESS(2)
DRYDOCK_ACCESS(4)
DRYDOCK_ACCESS(8)
DRYDOCK_ACCESS(16)
void __asan_loadN(uintptr_t at, size_t size) { check(at, size, false); }
void __asan_storeN(uintptr_t at, size_t size) { check(at, size, true); }

void * __asan_memcpy(void * to, const void * from, size_t size)
{
    check((uintptr_t) from, size, false);
    check((uintptr_t) to, size, true);
    return memcpy(to, from, size);
}
void * __asan_memmove(void * to, const void * from, size_t size)
{
    check((uintptr_t) from, size, false);
    check((uintptr_t) to, size, true);
    return memmove(to, from, size);
}
void * __asan_memset(void * to, int value, size_t size)
{
    check((uintptr_t) to, size, true);
    return memset(to, value, size);
}

// Stack frames and what is allocated in them: the pass knows where, and says what to write.

#define DRYDOCK_SHADOW(value) \
    void __asan_set_shadow_##value(uintptr_t shadow, size_t size) { memset((void *) shadow, 0x##value, size); }
DRYDOCK_SHADOW(00)
DRYDOCK_SHADOW(01)
DRYDOCK_SHADOW(02)
DRYDOCK_SHADOW(03)
DRYDOCK_SHADOW(04)
DRYDOCK_SHADOW(05)
DRYDOCK_SHADOW(06)
DRYDOCK_SHADOW(07)
DRYDOCK_SHADOW(f1)
DRYDOCK_SHADOW(f2)
DRYDOCK_SHADOW(f3)
DRYDOCK_SHADOW(f5)
DRYDOCK_SHADOW(f8)
void __asan_poison_stack_memory(uintptr_t at, size_t size) { drydock_shadow_set((void *) at, size, 0xf8); }
void __asan_unpoison_stack_memory(uintptr_t at, size_t size) { drydock_shadow_set((void *) at, size, 0); }
void __asan_alloca_poison(uintptr_t at, size_t size)
{
    uintptr_t end = (at + size + 31) & ~(uintptr_t) 31;
    drydock_shadow_set((void *) (at - 32), 32, drydockShadowAlloca);
    drydock_shadow_set((void *) at, size, 0);
    drydock_shadow_set((void *) (at + size), end + 32 - (at + size), drydockShadowAlloca);
}
void __asan_allocas_unpoison(uintptr_t top, uintptr_t bottom)
{
    if (top != 0 && top <= bottom) memset(shadowOf(top), 0, (bottom - top) >> 3);
}

// Globals: each has room behind it, which is nobody's.

struct DrydockGlobal { uintptr_t begin; size_t size; size_t whole; const char * name; const char * module; uintptr_t dynamic; void * location; uintptr_t odr; };
void __asan_register_globals(const DrydockGlobal * list, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        drydock_shadow_set((void *) list[index].begin, list[index].size, 0);
        drydock_shadow_set((void *) (list[index].begin + list[index].size), list[index].whole - list[index].size, drydockShadowGlobal);
    }
    drydock_host_globals(list, (uint32_t) count);
}
void __asan_unregister_globals(const void *, size_t) {}

// What the C library does with the dext's texts: linked in place of its own by --wrap.

size_t __real_strlen(const char * text);
size_t __wrap_strlen(const char * text)
{
    size_t length = 0;
    if (!drydock_has_shadow) return __real_strlen(text);
    for (;; length++) {
        if (!isGood((uintptr_t) text + length)) check((uintptr_t) text + length, 1, false);
        if (text[length] == 0) return length;
    }
}
char * __real_strcpy(char * to, const char * from);
char * __wrap_strcpy(char * to, const char * from)
{
    check((uintptr_t) to, __wrap_strlen(from) + 1, true);
    return __real_strcpy(to, from);
}
char * __real_strcat(char * to, const char * from);
char * __wrap_strcat(char * to, const char * from)
{
    check((uintptr_t) to + __wrap_strlen(to), __wrap_strlen(from) + 1, true);
    return __real_strcat(to, from);
}
char * __real_strncpy(char * to, const char * from, size_t size);
char * __wrap_strncpy(char * to, const char * from, size_t size)
{
    check((uintptr_t) to, size, true);
    return __real_strncpy(to, from, size);
}
int __real_strcmp(const char * left, const char * right);
int __wrap_strcmp(const char * left, const char * right)
{
    __wrap_strlen(left);
    __wrap_strlen(right);
    return __real_strcmp(left, right);
}
int __real_memcmp(const void * left, const void * right, size_t size);
int __wrap_memcmp(const void * left, const void * right, size_t size)
{
    check((uintptr_t) left, size, false);
    check((uintptr_t) right, size, false);
    return __real_memcmp(left, right, size);
}
int __real_vsnprintf(char * to, size_t size, const char * format, va_list arguments);
int __wrap_vsnprintf(char * to, size_t size, const char * format, va_list arguments)
{
    if (to != nullptr) check((uintptr_t) to, size, true);
    return __real_vsnprintf(to, size, format, arguments);
}
}
