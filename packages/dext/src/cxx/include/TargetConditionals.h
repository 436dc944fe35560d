// What a dext is compiled for.
#pragma once
#define TARGET_OS_MAC 1
#define TARGET_OS_DRIVERKIT 1
#define TARGET_OS_OSX 0
#define TARGET_OS_IPHONE 0
#define TARGET_OS_IOS 0
#define TARGET_OS_TV 0
#define TARGET_OS_WATCH 0
#define TARGET_OS_SIMULATOR 0
#define TARGET_OS_EMBEDDED 0
#define TARGET_RT_LITTLE_ENDIAN 1
#define TARGET_RT_BIG_ENDIAN 0
#define TARGET_CPU_ARM64 1
#define TARGET_CPU_X86_64 0
