// The small program that a compiler must build before it is taken for dexts.

/** Uses what a dext's build needs: the C library, C++ headers, blocks, 64-bit division, a link. */
export const probeText = `#include <string.h>
#include <stdio.h>
#include <type_traits>
static long long divide(long long a, long long b) { return a / b; }
extern "C" __attribute__((export_name("probe"))) long long probe(long long a, const char * text)
{
    char room[32];
    long long (^block)(void) = ^{ return divide(a, 3); };
    snprintf(room, sizeof room, "%s", text);
    return block() + (long long) strlen(room) + std::is_same<int, int>::value;
}
extern "C" { void * _NSConcreteStackBlock[32]; void * _NSConcreteGlobalBlock[32]; }
`;
