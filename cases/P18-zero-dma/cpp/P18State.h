// What the driver keeps: the session, two rings and the sense data in host memory, its interrupt, and the tasks under way.
#pragma once
#include <DriverKit/DriverKit.h>
#include <PCIDriverKit/PCIDriverKit.h>
#include <SCSIControllerDriverKit/SCSIControllerDriverKit.h>

enum { kEntries = 64, kTasks = kEntries - 1, kRequestBytes = 64, kReplyBytes = 16, kSenseBytes = 96 };
/** Bits 1:0 of a scatter entry's flags: whose memory its address means. */
enum { kSystemMemory = 0, kLocalMemory = 1 };

/** Memory that the adapter uses for as long as the driver lives. */
struct Shared
{
    IOBufferMemoryDescriptor * memory;
    IODMACommand * command;
    uint8_t * bytes;
    uint64_t address;
};

struct Slot
{
    bool isBusy;
    uint8_t generation;
    uint64_t targetId;
    OSAction * completion;
};

struct P18Driver_IVars
{
    IOPCIDevice * device;
    bool isGateOpen;
    Shared requests;
    Shared replies;
    Shared senses;
    IODispatchQueue * interruptQueue;
    IODispatchQueue * auxiliaryQueue;
    IOInterruptDispatchSource * interrupt;
    OSAction * occurred;
    uint32_t targets;
    uint32_t producer;
    uint32_t consumer;
    uint32_t phase;
    uint32_t mapped;
    Slot slots[kTasks];
    // Of the driver that looks at what it gets.
    uint64_t inquiryId;
    IOBufferMemoryDescriptor * view;
};
