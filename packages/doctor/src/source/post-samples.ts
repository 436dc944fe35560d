// The smallest driver sources that hold the faults of P02, P06 and P11, and the same put right. All written by us.

/** P02: a line coding that never reaches its buffer, and seven more mistakes, as somebody would paste it into a post. */
export const lineCodingPost = `My driver gets 0xe0005000 from this. Is it the descriptor?

\`\`\`
kern_return_t MyUart::SendLineCoding(uint32_t baudRate, uint8_t stopBits, uint8_t parity, uint8_t dataBits)
{
    IOBufferMemoryDescriptor * bufferDescriptor = nullptr;
    IOMemoryMap * map = nullptr;
    uint32_t bytesTransferred = 0;
    uint64_t ptr = 0;
    uint16_t lcLen = sizeof(LineCoding) - 1;
    LineCoding * lineParms = (LineCoding *)IOMalloc(lcLen);

    OSSwapBigToHostInt32(baudRate);
    lineParms->dwDTERate = baudRate;
    lineParms->bCharFormat = stopBits - 2;
    lineParms->bParityType = parity - 1;
    lineParms->bDataBits = dataBits;

    ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, lcLen, &bufferDescriptor);
    bufferDescriptor->CreateMapping(kIOMemoryMapReadOnly, 0, 0, lcLen, 0, &map);
    ptr = map->GetAddress();
    memcpy(&ptr, lineParms, lcLen);

    kern_return_t ret = ivars->interface->DeviceRequest(0x21, 0x20, 0, ivars->control, lcLen, bufferDescriptor,
                                                        &bytesTransferred, 1000);
    IOLog("line coding: 0x%08x, %u bytes\\n", ret, bytesTransferred);
    OSSafeReleaseNULL(map);
    OSSafeReleaseNULL(bufferDescriptor);
    IOFree(lineParms, lcLen);
    return ret;
}
\`\`\`

SEND_BREAK works on the same interface.
`;

export const lineCodingGood = `kern_return_t MyUart::SendLineCoding(uint32_t baudRate, uint8_t halfStopBits, uint8_t parity, uint8_t dataBits)
{
    if (!ivars->hasLineCoding) return kIOReturnUnsupported;
    if (halfStopBits < 2 || halfStopBits > 4 || parity < 1 || parity > 5) return kIOReturnBadArgument;

    constexpr uint16_t length = 7;
    IOBufferMemoryDescriptor * buffer = nullptr;
    kern_return_t ret = ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, length, &buffer);
    if (ret != kIOReturnSuccess) return ret;

    IOAddressSegment range = {};
    ret = buffer->GetAddressRange(&range);
    if (ret == kIOReturnSuccess) {
        uint8_t * bytes = reinterpret_cast<uint8_t *>(range.address);
        OSWriteLittleInt32(bytes, 0, baudRate);
        bytes[4] = halfStopBits - 2;
        bytes[5] = parity - 1;
        bytes[6] = dataBits;
        uint32_t bytesTransferred = 0;
        ret = ivars->interface->DeviceRequest(0x21, 0x20, 0, ivars->control, length, buffer, &bytesTransferred, 1000);
    }
    OSSafeReleaseNULL(buffer);
    return ret;
}
`;

/** P06: a kernel macro in a header. */
export const gamepadHeader = `#include <DriverKit/OSMetaClass.h>
#include <HIDDriverKit/IOUserHIDDevice.h>

class VirtualGamepad : public IOUserHIDDevice
{
    OSDeclareDefaultStructors(VirtualGamepad)

public:
    virtual bool init();
    virtual kern_return_t Start(IOService * provider);
    virtual OSDictionary * newDeviceDescription();
    virtual OSData * newReportDescriptor();
};
`;

export const gamepadInterface = `#include <Availability.h>
#include <DriverKit/IOService.iig>
#include <HIDDriverKit/IOUserHIDDevice.iig>

class VirtualGamepad : public IOUserHIDDevice
{
public:
    virtual bool init() override;
    virtual void free() override;
    virtual bool handleStart(IOService * provider) override;
    virtual OSDictionary * newDeviceDescription() override;
    virtual OSData * newReportDescriptor() override;
};
`;

export const gamepadImplementation = `#include <os/log.h>
#include <DriverKit/DriverKit.h>
#include <HIDDriverKit/HIDDriverKit.h>
#include "VirtualGamepad.h"

struct VirtualGamepad_IVars
{
    IOBufferMemoryDescriptor * report;
};

bool VirtualGamepad::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(VirtualGamepad_IVars, 1);
    return ivars != nullptr;
}

void VirtualGamepad::free()
{
    if (ivars != nullptr) OSSafeReleaseNULL(ivars->report);
    IOSafeDeleteNULL(ivars, VirtualGamepad_IVars, 1);
    super::free();
}

bool VirtualGamepad::handleStart(IOService * provider)
{
    if (!super::handleStart(provider)) return false;
    return IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, 8, 0, &ivars->report) == kIOReturnSuccess;
}

OSDictionary * VirtualGamepad::newDeviceDescription()
{
    OSDictionary * description = super::newDeviceDescription();
    if (description == nullptr) description = OSDictionary::withCapacity(4);
    description->setObject("RegisterService", kOSBooleanTrue);
    return description;
}

OSData * VirtualGamepad::newReportDescriptor()
{
    return OSData::withBytes(reportDescriptor, sizeof(reportDescriptor));
}
`;

/** P11: sources by count, one name for all queues, the context after the handler, a way out half-way. */
export const interruptSetUp = `void HbaDriver::SetUpInterrupts()
{
    uint32_t maxInterrupts = 0;
    ivars->pci->ConfigureInterrupts(kIOInterruptTypePCIMessagedX, 1, 5);
    for (uint32_t i = 0;; ++i) {
        uint64_t type = 0;
        if (IOInterruptDispatchSource::GetInterruptType(ivars->pci, i, &type) != kIOReturnSuccess) break;
        if (type & kIOInterruptTypePCIMessagedX) ++maxInterrupts;
    }
    for (uint32_t index = 0; index < maxInterrupts; ++index) {
        kern_return_t ret = IODispatchQueue::Create("interrupt queue", 0, 0, &ivars->queues[index]);
        if (ret != kIOReturnSuccess) return;
        ret = IOInterruptDispatchSource::Create(ivars->pci, index, ivars->queues[index], &ivars->sources[index]);
        if (ret != kIOReturnSuccess) return;
        ret = CreateActionInterruptOccurred(sizeof(VectorContext), &ivars->actions[index]);
        if (ret != kIOReturnSuccess) return;
        ret = ivars->sources[index]->SetHandler(ivars->actions[index]);
        if (ret != kIOReturnSuccess) return;
        ivars->contexts[index] = (VectorContext *)ivars->actions[index]->GetReference();
    }
}
`;

export const interruptSetUpGood = `kern_return_t HbaDriver::SetUpInterrupts()
{
    kern_return_t ret = ivars->pci->ConfigureInterrupts(kIOInterruptTypePCIMessagedX, 1, kVectors);
    if (ret != kIOReturnSuccess) return ret;
    uint32_t found = 0;
    for (uint32_t i = 0; found < kVectors; ++i) {
        uint64_t type = 0;
        ret = IOInterruptDispatchSource::GetInterruptType(ivars->pci, i, &type);
        if (ret != kIOReturnSuccess) {
            IOLog("interrupt list ends at %u with 0x%08x\\n", i, ret);
            break;
        }
        if (type & kIOInterruptTypePCIMessagedX) ivars->indices[found++] = i;
    }
    for (uint32_t vector = 0; vector < found; ++vector) {
        char name[32];
        snprintf(name, sizeof(name), "vector %u", vector);
        ret = IODispatchQueue::Create(name, 0, 0, &ivars->queues[vector]);
        if (ret == kIOReturnSuccess)
            ret = IOInterruptDispatchSource::Create(ivars->pci, ivars->indices[vector], ivars->queues[vector],
                                                    &ivars->sources[vector]);
        if (ret == kIOReturnSuccess) ret = CreateActionInterruptOccurred(sizeof(VectorContext), &ivars->actions[vector]);
        if (ret == kIOReturnSuccess) {
            ivars->contexts[vector] = (VectorContext *)ivars->actions[vector]->GetReference();
            ret = ivars->sources[vector]->SetHandler(ivars->actions[vector]);
        }
        if (ret == kIOReturnSuccess) ret = ivars->sources[vector]->SetEnable(true);
        if (ret != kIOReturnSuccess) {
            CancelVectors();
            return ret;
        }
    }
    return kIOReturnSuccess;
}

void HbaDriver::CancelVectors()
{
    for (uint32_t vector = 0; vector < kVectors; ++vector) {
        if (ivars->sources[vector] == nullptr) continue;
        ivars->sources[vector]->SetEnable(false);
        ivars->sources[vector]->Cancel(^{
            OSSafeReleaseNULL(ivars->sources[vector]);
            OSSafeReleaseNULL(ivars->actions[vector]);
            OSSafeReleaseNULL(ivars->queues[vector]);
        });
    }
}
`;
