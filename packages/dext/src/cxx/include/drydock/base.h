// Words that every header of DriverKit needs: returns, integers, attributes; and how a host function is declared.
#pragma once
#include <TargetConditionals.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __wasm__
#define DRYDOCK_IMPORT(module, name) extern "C" __attribute__((import_module(module), import_name(name)))
#define DRYDOCK_EXPORT(name) extern "C" __attribute__((export_name(#name), used))
#else
#define DRYDOCK_IMPORT(module, name) extern "C"
#define DRYDOCK_EXPORT(name) extern "C"
#endif

typedef int kern_return_t;
typedef kern_return_t IOReturn;
typedef uint32_t IOOptionBits;
typedef int32_t IOFixed;
typedef uint32_t IOVersion;
typedef uint32_t IOItemCount;
typedef uint32_t IOCacheMode;
typedef uint32_t IOByteCount32;
typedef uint64_t IOByteCount64;
typedef uint64_t IOByteCount;
typedef uint64_t IOVirtualAddress;
typedef uint64_t IOPhysicalAddress;
typedef uint64_t IOPhysicalLength;
typedef uint8_t UInt8;
typedef uint16_t UInt16;
typedef uint32_t UInt32;
typedef uint64_t UInt64;
typedef int8_t SInt8;
typedef int16_t SInt16;
typedef int32_t SInt32;
typedef int64_t SInt64;
typedef unsigned char Boolean;
typedef int32_t OSStatus;
typedef uint64_t OSObjectRef;
typedef unsigned int natural_t;
typedef int integer_t;
typedef unsigned int mach_port_t;
typedef uint64_t mach_vm_address_t;
typedef uint64_t mach_vm_size_t;
typedef uint64_t malloc_type_id_t;
typedef uint64_t AbsoluteTime;
typedef unsigned char uuid_t[16];

#ifndef KERN_SUCCESS
#define KERN_SUCCESS 0
#endif

/** Whatever the system, the run has it. */
#ifndef __APPLE__
#define __builtin_available(...) 1
#endif

#define IIG_KERNEL
#define IIG_NATIVE
#define IIG_LOCAL
#define IIG_LOCALONLY
#define IIG_REMOTE
#define IIG_LOCALHOST
#define IIG_INVOKEREPLY
#define IIG_REPLY
#define IIG_TARGET
#define IIG_TYPE(...)
#define IIG_QUEUENAME(...)
#define IIG_EXTENDS(...)
#define IIG_SERIALIZABLE
#define IIG_CONCRETE
#define DRIVERKIT_RETURNS_RETAINED
#define DRIVERKIT_RETURNS_NOT_RETAINED
#define DRIVERKIT_CONSUMED
#define DRIVERKIT_CONSUMES_THIS
#define DRIVERKIT_RETURNS_RETAINED_ON_ZERO
#define DRIVERKIT_RETURNS_RETAINED_ON_NONZERO
#define LIBKERN_RETURNS_RETAINED
#define LIBKERN_RETURNS_NOT_RETAINED
#define LIBKERN_CONSUMED
#define LIBKERN_CONSUMES_THIS
#define LIBKERN_RETURNS_RETAINED_ON_ZERO
#define LIBKERN_RETURNS_RETAINED_ON_NONZERO

#ifndef __unused
#define __unused __attribute__((unused))
#endif
#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef __BEGIN_DECLS
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS }
#endif
#ifndef __printflike
#define __printflike(at, first) __attribute__((__format__(__printf__, at, first)))
#endif
