// The driver: pipes by descriptor, one read under way, bytes kept without the two status bytes of each packet.
#include <os/log.h>

#include <DriverKit/DriverKit.h>
#include <USBDriverKit/USBDriverKit.h>

#include "LoopDriver.h"

static const uint32_t kReadSize = 64;
static const uint32_t kKept = 65536;

struct LoopDriver_IVars
{
    IOUSBHostInterface * interface;
    IOUSBHostPipe * in;
    IOUSBHostPipe * out;
    IOBufferMemoryDescriptor * readBuffer;
    IOBufferMemoryDescriptor * writeBuffer;
    OSAction * readAction;
    uint64_t received;
    uint8_t * kept;
    uint32_t keptCount;
};

bool LoopDriver::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(LoopDriver_IVars, 1);
    if (ivars == nullptr) return false;
    ivars->kept = (uint8_t *) IOMalloc(kKept);
    return ivars->kept != nullptr;
}

void LoopDriver::free()
{
    if (ivars != nullptr) {
        if (ivars->kept != nullptr) IOFree(ivars->kept, kKept);
        OSSafeReleaseNULL(ivars->readAction);
        OSSafeReleaseNULL(ivars->readBuffer);
        OSSafeReleaseNULL(ivars->writeBuffer);
        OSSafeReleaseNULL(ivars->in);
        OSSafeReleaseNULL(ivars->out);
        OSSafeReleaseNULL(ivars->interface);
    }
    IOSafeDeleteNULL(ivars, LoopDriver_IVars, 1);
    super::free();
}

kern_return_t IMPL(LoopDriver, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;

    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    if (ivars->interface == nullptr) return kIOReturnBadArgument;
    ivars->interface->retain();
    result = ivars->interface->Open(this, 0, nullptr);
    if (result != kIOReturnSuccess) return result;

    const IOUSBConfigurationDescriptor * configuration = ivars->interface->CopyConfigurationDescriptor();
    if (configuration == nullptr) return kIOReturnError;
    const IOUSBInterfaceDescriptor * descriptor = ivars->interface->GetInterfaceDescriptor(configuration);
    const IOUSBEndpointDescriptor * endpoint = nullptr;
    while (descriptor != nullptr
           && (endpoint = IOUSBGetNextEndpointDescriptor(configuration, descriptor, (const IOUSBDescriptorHeader *) endpoint)) != nullptr) {
        IOUSBHostPipe ** pipe = IOUSBGetEndpointDirection(endpoint) == kIOUSBEndpointDirectionIn ? &ivars->in : &ivars->out;
        if (*pipe == nullptr) result = ivars->interface->CopyPipe(IOUSBGetEndpointAddress(endpoint), pipe);
        if (result != kIOReturnSuccess) break;
    }
    IOUSBHostFreeDescriptor(configuration);
    if (result != kIOReturnSuccess) return result;
    if (ivars->in == nullptr || ivars->out == nullptr) return kIOReturnNotFound;

    // The chip's reset: both buffers, its own settings.
    uint16_t transferred = 0;
    result = ivars->interface->DeviceRequest(kIOUSBDeviceRequestDirectionOut | kIOUSBDeviceRequestTypeVendor, 0, 0, 0, 0, nullptr,
                                             &transferred, 1000);
    if (result != kIOReturnSuccess) return result;
    result = ivars->interface->CreateIOBuffer(kIOMemoryDirectionIn, kReadSize, &ivars->readBuffer);
    if (result != kIOReturnSuccess) return result;
    result = ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, kReadSize, &ivars->writeBuffer);
    if (result != kIOReturnSuccess) return result;
    result = CreateActionReceived(0, &ivars->readAction);
    if (result != kIOReturnSuccess) return result;
    result = ivars->in->AsyncIO(ivars->readBuffer, kReadSize, ivars->readAction, 0);
    if (result == kIOReturnSuccess) {
        os_log(OS_LOG_DEFAULT, "LoopDriver: ready, packets of %u bytes", kReadSize);
        result = RegisterService();
    }
    if (result != kIOReturnSuccess) {
        // The action holds this driver: without the cancel neither would ever go.
        ivars->in->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
        ivars->readAction->Cancel(^{});
    }
    return result;
}

kern_return_t IMPL(LoopDriver, Stop)
{
    if (ivars->in != nullptr) ivars->in->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
    if (ivars->readAction == nullptr) return Stop(provider, SUPERDISPATCH);
    // Nothing calls back behind the cancel; the superclass hears of it then. The block keeps no object: this does.
    retain();
    provider->retain();
    kern_return_t result = ivars->readAction->Cancel(^{
        if (ivars->interface != nullptr) ivars->interface->Close(this, 0);
        Stop(provider, SUPERDISPATCH);
        provider->release();
        release();
    });
    if (result == kIOReturnSuccess) return result;
    // No handler will come: the action is given up, and with it its hold on this driver.
    OSSafeReleaseNULL(ivars->readAction);
    provider->release();
    release();
    return Stop(provider, SUPERDISPATCH);
}

kern_return_t IMPL(LoopDriver, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t result = Create(this, "UserClientProperties", &client);
    if (result != kIOReturnSuccess) return result;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient == nullptr) {
        client->release();
        return kIOReturnError;
    }
    return kIOReturnSuccess;
}

void IMPL(LoopDriver, Received)
{
    if (status != kIOReturnSuccess) return;
    IOAddressSegment range = {};
    if (ivars->readBuffer->GetAddressRange(&range) == kIOReturnSuccess && actualByteCount > 2) {
        uint32_t count = actualByteCount - 2;
        if (ivars->keptCount + count <= kKept) {
            memcpy(ivars->kept + ivars->keptCount, (const uint8_t *) range.address + 2, count);
            ivars->keptCount += count;
        }
        ivars->received += count;
    }
    ivars->in->AsyncIO(ivars->readBuffer, kReadSize, action, 0);
}

kern_return_t LoopDriver::Write(const void * bytes, uint32_t length)
{
    IOAddressSegment range = {};
    kern_return_t result = ivars->writeBuffer->GetAddressRange(&range);
    if (result != kIOReturnSuccess) return result;
    const uint8_t * from = (const uint8_t *) bytes;
    while (length > 0) {
        uint32_t count = length < kReadSize ? length : kReadSize;
        uint32_t written = 0;
        memcpy((void *) range.address, from, count);
        result = ivars->out->IO(ivars->writeBuffer, count, &written, 5000);
        if (result != kIOReturnSuccess) return result;
        from += written;
        length -= written;
    }
    return kIOReturnSuccess;
}

uint64_t LoopDriver::ReceivedBytes() { return ivars->received; }

uint32_t LoopDriver::Copy(uint8_t * into, uint32_t room)
{
    uint32_t count = ivars->keptCount < room ? ivars->keptCount : room;
    memcpy(into, ivars->kept, count);
    memmove(ivars->kept, ivars->kept + count, ivars->keptCount - count);
    ivars->keptCount -= count;
    return count;
}
