// P02, wrong: the line coding is copied over the variable that holds the buffer's address.

#include <string.h>
#include <libkern/OSByteOrder.h>
#include <DriverKit/IOLib.h>
#include <DriverKit/IOBufferMemoryDescriptor.h>
#include <DriverKit/IOMemoryMap.h>
#include "P02DriverState.h"

struct LineCoding
{
    uint32_t dwDTERate;
    uint8_t bCharFormat;
    uint8_t bParityType;
    uint8_t bDataBits;
};

kern_return_t P02Driver::SetLineCoding(uint32_t baudRate, uint8_t dataBits, uint8_t halfStopBits, uint8_t parity,
                                       uint16_t * bytesTransferred)
{
    IOBufferMemoryDescriptor * descriptor = nullptr;
    IOMemoryMap * map = nullptr;
    uint64_t ptr = 0;
    const uint16_t length = sizeof(LineCoding) - 1;
    LineCoding * wanted = static_cast<LineCoding *>(IOMalloc(length));

    OSSwapBigToHostInt32(baudRate);
    wanted->dwDTERate = baudRate;
    wanted->bCharFormat = halfStopBits - 2;
    wanted->bParityType = parity - 1;
    wanted->bDataBits = dataBits;

    ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, length, &descriptor);
    descriptor->CreateMapping(kIOMemoryMapReadOnly, 0, 0, length, 0, &map);
    ptr = map->GetAddress();
    memcpy(&ptr, wanted, length);

    kern_return_t ret = ivars->interface->DeviceRequest(classRequestOut, setLineCodingRequest, 0, ivars->control, length,
                                                        descriptor, bytesTransferred, timeoutMs);
    OSSafeReleaseNULL(map);
    OSSafeReleaseNULL(descriptor);
    IOFree(wanted, length);
    return ret;
}
