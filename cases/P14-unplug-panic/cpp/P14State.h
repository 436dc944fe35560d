// What the driver keeps: the session, the page that the adapter counts in, one queue with its sources, and what became of commands.
#pragma once
#include <DriverKit/DriverKit.h>
#include <PCIDriverKit/PCIDriverKit.h>

enum AdapterRegister { kIdentity = 0x00, kStatus = 0x08, kEngine = 0x20, kCounterLow = 0x24, kCounterHigh = 0x28, kWork = 0x2c };
enum { kCommandRegister = 4, kMemorySpace = 2, kBusMaster = 4, kInterruptDisable = 0x400 };
/** Commands that the driver keeps under way. */
enum { kDepth = 4 };

struct P14Driver_IVars
{
    IOPCIDevice * device;
    IOBufferMemoryDescriptor * memory;
    IODMACommand * command;
    const uint64_t * counters;
    IODispatchQueue * queue;
    IOInterruptDispatchSource * interrupt;
    IOTimerDispatchSource * timer;
    OSAction * occurred;
    OSAction * ticked;
    bool isGateOpen;
    uint64_t seen;
    uint32_t pending;
    uint32_t completed;
    uint32_t notPresent;
    uint32_t twice;
};
