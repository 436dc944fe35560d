// Atomic words: one task runs at a time, so plain builtins are enough.
#pragma once
#include <stdbool.h>
#include <stdint.h>
static inline int32_t OSAddAtomic(int32_t amount, volatile void * address) { return __atomic_fetch_add((volatile int32_t *) address, amount, __ATOMIC_SEQ_CST); }
static inline int64_t OSAddAtomic64(int64_t amount, volatile int64_t * address) { return __atomic_fetch_add(address, amount, __ATOMIC_SEQ_CST); }
static inline int32_t OSIncrementAtomic(volatile void * address) { return OSAddAtomic(1, address); }
static inline int32_t OSDecrementAtomic(volatile void * address) { return OSAddAtomic(-1, address); }
static inline uint32_t OSBitOrAtomic(uint32_t mask, volatile void * address) { return __atomic_fetch_or((volatile uint32_t *) address, mask, __ATOMIC_SEQ_CST); }
static inline uint32_t OSBitAndAtomic(uint32_t mask, volatile void * address) { return __atomic_fetch_and((volatile uint32_t *) address, mask, __ATOMIC_SEQ_CST); }
static inline bool OSCompareAndSwap(uint32_t from, uint32_t to, volatile void * address) { return __atomic_compare_exchange_n((volatile uint32_t *) address, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); }
static inline bool OSCompareAndSwap64(uint64_t from, uint64_t to, volatile void * address) { return __atomic_compare_exchange_n((volatile uint64_t *) address, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); }
static inline void OSMemoryBarrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
static inline void OSSynchronizeIO(void) {}
