// Walking through USB descriptors: USB 2.0, 9.6; intervals: 9.6.6.
#include "host.h"
#include <USBDriverKit/AppleUSBDescriptorParsing.h>
#include <USBDriverKit/IOUSBHostFamilyDefinitions.h>

DRYDOCK_IMPORT("drydock", "IOUSBHostFreeDescriptor") void drydock_host_free_descriptor(const void * descriptor);
void IOUSBHostFreeDescriptor(const void * descriptor) { drydock_host_free_descriptor(descriptor); }

extern "C" {
const IOUSBDescriptorHeader * IOUSBGetNextDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * current)
{
    if (configuration == nullptr) return nullptr;
    const uint8_t * start = (const uint8_t *) configuration;
    const uint8_t * end = start + configuration->wTotalLength;
    const uint8_t * next = start;
    if (current != nullptr) {
        if (current->bLength < kIOUSBDescriptorHeaderSize) return nullptr;
        next = (const uint8_t *) current + current->bLength;
    }
    if (next < start || next + kIOUSBDescriptorHeaderSize > end) return nullptr;
    const IOUSBDescriptorHeader * found = (const IOUSBDescriptorHeader *) next;
    return found->bLength < kIOUSBDescriptorHeaderSize || next + found->bLength > end ? nullptr : found;
}

const IOUSBDescriptorHeader * IOUSBGetNextDescriptorWithType(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * current, const uint8_t type)
{
    do current = IOUSBGetNextDescriptor(configuration, current);
    while (current != nullptr && current->bDescriptorType != type);
    return current;
}

const IOUSBDescriptorHeader * IOUSBGetNextAssociatedDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * parent, const IOUSBDescriptorHeader * current)
{
    if (parent == nullptr) return nullptr;
    const IOUSBDescriptorHeader * next = IOUSBGetNextDescriptor(configuration, current == nullptr ? parent : current);
    return next == nullptr || next->bDescriptorType == parent->bDescriptorType ? nullptr : next;
}

const IOUSBDescriptorHeader * IOUSBGetNextAssociatedDescriptorWithType(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * parent, const IOUSBDescriptorHeader * current, const uint8_t type)
{
    do current = IOUSBGetNextAssociatedDescriptor(configuration, parent, current);
    while (current != nullptr && current->bDescriptorType != type);
    return current;
}

const IOUSBInterfaceAssociationDescriptor * IOUSBGetNextInterfaceAssociationDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * current)
{
    return (const IOUSBInterfaceAssociationDescriptor *) IOUSBGetNextDescriptorWithType(configuration, current, kIOUSBDescriptorTypeInterfaceAssociation);
}

const IOUSBInterfaceDescriptor * IOUSBGetNextInterfaceDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * current)
{
    return (const IOUSBInterfaceDescriptor *) IOUSBGetNextDescriptorWithType(configuration, current, kIOUSBDescriptorTypeInterface);
}

const IOUSBEndpointDescriptor * IOUSBGetNextEndpointDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBInterfaceDescriptor * interface, const IOUSBDescriptorHeader * current)
{
    return (const IOUSBEndpointDescriptor *) IOUSBGetNextAssociatedDescriptorWithType(configuration, (const IOUSBDescriptorHeader *) interface, current, kIOUSBDescriptorTypeEndpoint);
}

uint8_t IOUSBGetEndpointDirection(const IOUSBEndpointDescriptor * endpoint) { return endpoint->bEndpointAddress >> 7; }
uint8_t IOUSBGetEndpointAddress(const IOUSBEndpointDescriptor * endpoint) { return endpoint->bEndpointAddress; }
uint8_t IOUSBGetEndpointNumber(const IOUSBEndpointDescriptor * endpoint) { return endpoint->bEndpointAddress & 0x0f; }
uint8_t IOUSBGetEndpointType(const IOUSBEndpointDescriptor * endpoint) { return endpoint->bmAttributes & 3; }
uint16_t IOUSBGetEndpointMaxPacketSize(uint32_t, const IOUSBEndpointDescriptor * endpoint) { return endpoint->wMaxPacketSize & 0x7ff; }

uint32_t IOUSBGetEndpointIntervalMicroframes(uint32_t speed, const IOUSBEndpointDescriptor * endpoint)
{
    uint32_t interval = endpoint->bInterval;
    if (interval == 0) return 0;
    bool isExponent = speed >= kIOUSBHostConnectionSpeedHigh || (endpoint->bmAttributes & 3) == kIOUSBEndpointTypeIsochronous;
    if (!isExponent) return interval * 8;
    if (interval > 16) interval = 16;
    uint32_t units = 1u << (interval - 1);
    return speed >= kIOUSBHostConnectionSpeedHigh ? units : units * 8;
}
uint32_t IOUSBGetEndpointIntervalFrames(uint32_t speed, const IOUSBEndpointDescriptor * endpoint)
{
    return (IOUSBGetEndpointIntervalMicroframes(speed, endpoint) + 7) / 8;
}
uint32_t IOUSBGetConfigurationMaxPowerMilliAmps(uint32_t speed, const IOUSBConfigurationDescriptor * configuration)
{
    return configuration->MaxPower * (speed >= kIOUSBHostConnectionSpeedSuper ? 8u : 2u);
}
}
