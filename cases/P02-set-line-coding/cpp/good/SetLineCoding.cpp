// P02, right: seven bytes stored at the buffer's own address, by table, little-endian, and checked.

#include <libkern/OSByteOrder.h>
#include <DriverKit/IOLib.h>
#include <DriverKit/IOBufferMemoryDescriptor.h>
#include "P02DriverState.h"

// bmCapabilities of the ACM functional descriptor (PSTN 1.2, table 4); 0 when there is none.
static uint8_t capabilitiesOf(IOUSBHostInterface * interface)
{
    const IOUSBConfigurationDescriptor * configuration = interface->CopyConfigurationDescriptor();
    if (configuration == nullptr) return 0;
    uint8_t capabilities = 0;
    const IOUSBDescriptorHeader * own =
        reinterpret_cast<const IOUSBDescriptorHeader *>(interface->GetInterfaceDescriptor(configuration));
    const IOUSBDescriptorHeader * at = nullptr;
    while (own != nullptr && (at = IOUSBGetNextAssociatedDescriptorWithType(configuration, own, at, 0x24)) != nullptr) {
        const uint8_t * bytes = reinterpret_cast<const uint8_t *>(at);
        if (at->bLength >= 4 && bytes[2] == 0x02) capabilities = bytes[3];
    }
    IOUSBHostFreeDescriptor(configuration);
    return capabilities;
}

kern_return_t P02Driver::SetLineCoding(uint32_t baudRate, uint8_t dataBits, uint8_t halfStopBits, uint8_t parity,
                                       uint16_t * bytesTransferred)
{
    if ((capabilitiesOf(ivars->interface) & 0x02) == 0) return kIOReturnUnsupported;
    if (halfStopBits < 2 || halfStopBits > 4 || parity < 1 || parity > 5) return kIOReturnBadArgument;

    IOBufferMemoryDescriptor * descriptor = nullptr;
    kern_return_t ret = ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, lineCodingBytes, &descriptor);
    if (ret != kIOReturnSuccess) return ret;
    IOAddressSegment range = {};
    ret = descriptor->GetAddressRange(&range);
    if (ret == kIOReturnSuccess) {
        uint8_t * bytes = reinterpret_cast<uint8_t *>(range.address);
        OSWriteLittleInt32(bytes, 0, baudRate);
        bytes[4] = halfStopBits - 2;
        bytes[5] = parity - 1;
        bytes[6] = dataBits;
        ret = ivars->interface->DeviceRequest(classRequestOut, setLineCodingRequest, 0, ivars->control, lineCodingBytes,
                                              descriptor, bytesTransferred, timeoutMs);
    }
    OSSafeReleaseNULL(descriptor);
    return ret;
}
