// What a seeded bug in C++ is made of: functions that the bed calls, and memory that is its own.
#ifndef Seed_h
#define Seed_h

#include <DriverKit/DriverKit.h>
#include <USBDriverKit/USBDriverKit.h>

class BedDriver;

struct Bed
{
    BedDriver * driver;
    IOUSBHostInterface * interface;
    IOUSBHostPipe * out;
    void * state;
};

/** Each may be left out. A packet's bytes have exactly their length. */
struct Seed
{
    const char * name;
    uint32_t stateBytes;
    kern_return_t (*begin)(Bed & bed);
    kern_return_t (*call)(Bed & bed, uint64_t selector, IOUserClientMethodArguments * arguments);
    void (*packet)(Bed & bed, const uint8_t * bytes, uint32_t length);
    void (*end)(Bed & bed);
};

template <class T> static T & StateOf(Bed & bed) { return *static_cast<T *>(bed.state); }

/** nullptr: there is none of that name. */
const Seed * FindSeed(const char * name);

#endif
