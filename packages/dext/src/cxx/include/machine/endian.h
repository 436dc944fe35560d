// The order of bytes, and how numbers go on a wire.
#pragma once
#include <libkern/OSByteOrder.h>
#ifndef LITTLE_ENDIAN
#define LITTLE_ENDIAN 1234
#define BIG_ENDIAN 4321
#define BYTE_ORDER LITTLE_ENDIAN
#endif
#ifndef htons
#define htons(x) OSSwapHostToBigInt16(x)
#define ntohs(x) OSSwapBigToHostInt16(x)
#define htonl(x) OSSwapHostToBigInt32(x)
#define ntohl(x) OSSwapBigToHostInt32(x)
#define htonll(x) OSSwapHostToBigInt64(x)
#define ntohll(x) OSSwapBigToHostInt64(x)
#endif
