// Byte order: the host is little-endian.
#pragma once
#include <stdint.h>
static inline uint16_t OSSwapInt16(uint16_t x) { return __builtin_bswap16(x); }
static inline uint32_t OSSwapInt32(uint32_t x) { return __builtin_bswap32(x); }
static inline uint64_t OSSwapInt64(uint64_t x) { return __builtin_bswap64(x); }
#define OSSwapConstInt16(x) __builtin_bswap16(x)
#define OSSwapConstInt32(x) __builtin_bswap32(x)
#define OSSwapConstInt64(x) __builtin_bswap64(x)
#define OSSwapHostToLittleInt16(x) ((uint16_t) (x))
#define OSSwapHostToLittleInt32(x) ((uint32_t) (x))
#define OSSwapHostToLittleInt64(x) ((uint64_t) (x))
#define OSSwapLittleToHostInt16(x) ((uint16_t) (x))
#define OSSwapLittleToHostInt32(x) ((uint32_t) (x))
#define OSSwapLittleToHostInt64(x) ((uint64_t) (x))
#define OSSwapHostToLittleConstInt16(x) ((uint16_t) (x))
#define OSSwapHostToLittleConstInt32(x) ((uint32_t) (x))
#define OSSwapHostToLittleConstInt64(x) ((uint64_t) (x))
#define OSSwapHostToBigInt16(x) OSSwapInt16(x)
#define OSSwapHostToBigInt32(x) OSSwapInt32(x)
#define OSSwapHostToBigInt64(x) OSSwapInt64(x)
#define OSSwapBigToHostInt16(x) OSSwapInt16(x)
#define OSSwapBigToHostInt32(x) OSSwapInt32(x)
#define OSSwapBigToHostInt64(x) OSSwapInt64(x)
#define OSSwapHostToBigConstInt16(x) OSSwapConstInt16(x)
#define OSSwapHostToBigConstInt32(x) OSSwapConstInt32(x)
#define OSSwapHostToBigConstInt64(x) OSSwapConstInt64(x)
static inline uint16_t OSReadLittleInt16(const volatile void * base, uintptr_t offset) { uint16_t x; __builtin_memcpy(&x, (const uint8_t *) base + offset, 2); return x; }
static inline uint32_t OSReadLittleInt32(const volatile void * base, uintptr_t offset) { uint32_t x; __builtin_memcpy(&x, (const uint8_t *) base + offset, 4); return x; }
static inline uint64_t OSReadLittleInt64(const volatile void * base, uintptr_t offset) { uint64_t x; __builtin_memcpy(&x, (const uint8_t *) base + offset, 8); return x; }
static inline uint16_t OSReadBigInt16(const volatile void * base, uintptr_t offset) { return OSSwapInt16(OSReadLittleInt16(base, offset)); }
static inline uint32_t OSReadBigInt32(const volatile void * base, uintptr_t offset) { return OSSwapInt32(OSReadLittleInt32(base, offset)); }
static inline uint64_t OSReadBigInt64(const volatile void * base, uintptr_t offset) { return OSSwapInt64(OSReadLittleInt64(base, offset)); }
static inline void OSWriteLittleInt16(volatile void * base, uintptr_t offset, uint16_t x) { __builtin_memcpy((uint8_t *) base + offset, &x, 2); }
static inline void OSWriteLittleInt32(volatile void * base, uintptr_t offset, uint32_t x) { __builtin_memcpy((uint8_t *) base + offset, &x, 4); }
static inline void OSWriteLittleInt64(volatile void * base, uintptr_t offset, uint64_t x) { __builtin_memcpy((uint8_t *) base + offset, &x, 8); }
static inline void OSWriteBigInt16(volatile void * base, uintptr_t offset, uint16_t x) { OSWriteLittleInt16(base, offset, OSSwapInt16(x)); }
static inline void OSWriteBigInt32(volatile void * base, uintptr_t offset, uint32_t x) { OSWriteLittleInt32(base, offset, OSSwapInt32(x)); }
static inline void OSWriteBigInt64(volatile void * base, uintptr_t offset, uint64_t x) { OSWriteLittleInt64(base, offset, OSSwapInt64(x)); }
