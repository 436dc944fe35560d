// What both sides of P02 share: coming up, a request without data, one that reads, and what the driver publishes.

#include <os/log.h>
#include <DriverKit/IOLib.h>
#include <DriverKit/IOBufferMemoryDescriptor.h>
#include <DriverKit/OSCollections.h>
#include "P02DriverState.h"

bool P02Driver::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(P02Driver_IVars, 1);
    return ivars != nullptr;
}

void P02Driver::free()
{
    if (ivars != nullptr) OSSafeReleaseNULL(ivars->interface);
    IOSafeDeleteNULL(ivars, P02Driver_IVars, 1);
    super::free();
}

kern_return_t IMPL(P02Driver, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return ret;
    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    if (ivars->interface == nullptr) return kIOReturnNoDevice;
    ivars->interface->retain();
    ret = ivars->interface->Open(this, 0, nullptr);
    if (ret != kIOReturnSuccess) return ret;

    const IOUSBConfigurationDescriptor * configuration = ivars->interface->CopyConfigurationDescriptor();
    if (configuration != nullptr) {
        const IOUSBInterfaceDescriptor * interface = ivars->interface->GetInterfaceDescriptor(configuration);
        if (interface != nullptr) ivars->control = interface->bInterfaceNumber;
        IOUSBHostFreeDescriptor(configuration);
    }

    uint16_t bytes = 0;
    ret = SetLineCoding(115200, 8, 2, 1, &bytes);
    Publish("SetLineCoding", ret, bytes);
    bytes = 0;
    ret = ivars->interface->DeviceRequest(classRequestOut, sendBreakRequest, 10, ivars->control, 0, nullptr, &bytes, timeoutMs);
    Publish("SendBreak", ret, bytes);
    bytes = 0;
    ret = GetLineCoding(&bytes);
    Publish("GetLineCoding", ret, bytes);
    return RegisterService();
}

kern_return_t IMPL(P02Driver, Stop)
{
    ivars->interface->Close(this, 0);
    return Stop(provider, SUPERDISPATCH);
}

kern_return_t P02Driver::GetLineCoding(uint16_t * bytesTransferred)
{
    IOBufferMemoryDescriptor * buffer = nullptr;
    kern_return_t ret = ivars->interface->CreateIOBuffer(kIOMemoryDirectionIn, lineCodingBytes, &buffer);
    if (ret != kIOReturnSuccess) return ret;
    ret = ivars->interface->DeviceRequest(classRequestIn, getLineCodingRequest, 0, ivars->control, lineCodingBytes, buffer,
                                          bytesTransferred, timeoutMs);
    IOAddressSegment range = {};
    if (ret == kIOReturnSuccess) ret = buffer->GetAddressRange(&range);
    OSData * coding = ret == kIOReturnSuccess
        ? OSData::withBytes(reinterpret_cast<const void *>(static_cast<uintptr_t>(range.address)), *bytesTransferred)
        : nullptr;
    OSDictionary * properties = OSDictionary::withCapacity(1);
    if (properties != nullptr && coding != nullptr) {
        properties->setObject("LineCoding", coding);
        SetProperties(properties);
    }
    OSSafeReleaseNULL(properties);
    OSSafeReleaseNULL(coding);
    OSSafeReleaseNULL(buffer);
    return ret;
}

void P02Driver::Publish(const char * name, kern_return_t status, uint16_t bytes)
{
    os_log(OS_LOG_DEFAULT, "%{public}s: 0x%08x, %u bytes", name, status, bytes);
    OSNumber * code = OSNumber::withNumber(static_cast<uint32_t>(status), 32);
    OSNumber * count = OSNumber::withNumber(status == kIOReturnSuccess ? bytes : 0, 32);
    OSDictionary * result = OSDictionary::withCapacity(2);
    OSDictionary * properties = OSDictionary::withCapacity(1);
    if (code != nullptr && count != nullptr && result != nullptr && properties != nullptr) {
        result->setObject("status", code);
        result->setObject("bytes", count);
        properties->setObject(name, result);
        SetProperties(properties);
    }
    OSSafeReleaseNULL(properties);
    OSSafeReleaseNULL(result);
    OSSafeReleaseNULL(count);
    OSSafeReleaseNULL(code);
}
