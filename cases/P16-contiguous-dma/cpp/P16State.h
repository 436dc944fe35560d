// What the driver keeps: the two I/O ranges, the ring and the hardware's list, each prepared for DMA, and its interrupt.
#pragma once
#include <DriverKit/DriverKit.h>
#include <PCIDriverKit/PCIDriverKit.h>

/** 1 MiB, which is 5.46 s of 48 kHz in two channels of 16 bits; the tone is its first second. */
enum { kRingBytes = 1 << 20, kToneFrames = 48000, kListEntries = 32, kEntryBytes = 8, kSegments = 32 };
enum { kInterruptOnCompletion = 0x8000 };

/** Memory that the hardware reads. */
struct Prepared
{
    IOBufferMemoryDescriptor * memory;
    IODMACommand * command;
    uint8_t * bytes;
    uint64_t length;
    IOAddressSegment segments[kSegments];
    uint32_t segmentCount;
};

struct P16Driver_IVars
{
    IOPCIDevice * device;
    uint8_t mixer;
    uint8_t bus;
    Prepared ring;
    Prepared list;
    IODispatchQueue * queue;
    IOInterruptDispatchSource * interrupt;
    OSAction * occurred;
    bool isRunning;
};

/** Entry `number` of the list: an address below 4 GiB, and samples of 16 bits. */
static inline void PutEntry(uint8_t * list, uint32_t number, uint64_t address, uint64_t bytes)
{
    uint32_t words[2] = { (uint32_t) address, (uint32_t) (bytes / 2) | (uint32_t) kInterruptOnCompletion << 16 };
    for (int at = 0; at < kEntryBytes; at++) list[number * kEntryBytes + at] = (uint8_t) (words[at / 4] >> (8 * (at % 4)));
}
