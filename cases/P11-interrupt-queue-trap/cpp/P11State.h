// What the driver keeps: one channel for each vector, the page that the adapter counts in, and what it has seen.
#pragma once
#include <DriverKit/DriverKit.h>
#include <PCIDriverKit/PCIDriverKit.h>

enum { kVectors = 5, kCounts = 4 };

struct Channel
{
    IODispatchQueue * queue;
    IOInterruptDispatchSource * source;
    OSAction * action;
};

struct P11Driver_IVars
{
    IOPCIDevice * device;
    IOBufferMemoryDescriptor * memory;
    IODMACommand * command;
    const uint64_t * counters;
    uint64_t seen[kVectors];
    Channel channels[kVectors];
    uint32_t channelCount;
    uint64_t callbacks;
    uint64_t interrupts;
    uint64_t completions;
    uint64_t resets;
};
