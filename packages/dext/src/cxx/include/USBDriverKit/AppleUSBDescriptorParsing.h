// Walking through descriptors: null is the first, null comes back at the end and for what is malformed.
#pragma once
#include <USBDriverKit/AppleUSBDefinitions.h>
#include <stdbool.h>

extern "C" {
const IOUSBDescriptorHeader * IOUSBGetNextDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * current);
const IOUSBDescriptorHeader * IOUSBGetNextDescriptorWithType(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * current, const uint8_t type);
const IOUSBDescriptorHeader * IOUSBGetNextAssociatedDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * parent, const IOUSBDescriptorHeader * current);
const IOUSBDescriptorHeader * IOUSBGetNextAssociatedDescriptorWithType(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * parent, const IOUSBDescriptorHeader * current, const uint8_t type);
const IOUSBInterfaceAssociationDescriptor * IOUSBGetNextInterfaceAssociationDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * current);
const IOUSBInterfaceDescriptor * IOUSBGetNextInterfaceDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBDescriptorHeader * current);
const IOUSBEndpointDescriptor * IOUSBGetNextEndpointDescriptor(const IOUSBConfigurationDescriptor * configuration, const IOUSBInterfaceDescriptor * interface, const IOUSBDescriptorHeader * current);
uint8_t IOUSBGetEndpointDirection(const IOUSBEndpointDescriptor * endpoint);
uint8_t IOUSBGetEndpointAddress(const IOUSBEndpointDescriptor * endpoint);
uint8_t IOUSBGetEndpointNumber(const IOUSBEndpointDescriptor * endpoint);
uint8_t IOUSBGetEndpointType(const IOUSBEndpointDescriptor * endpoint);
uint16_t IOUSBGetEndpointMaxPacketSize(uint32_t usbDeviceSpeed, const IOUSBEndpointDescriptor * endpoint);
uint32_t IOUSBGetEndpointIntervalMicroframes(uint32_t usbDeviceSpeed, const IOUSBEndpointDescriptor * endpoint);
uint32_t IOUSBGetEndpointIntervalFrames(uint32_t usbDeviceSpeed, const IOUSBEndpointDescriptor * endpoint);
uint32_t IOUSBGetConfigurationMaxPowerMilliAmps(uint32_t usbDeviceSpeed, const IOUSBConfigurationDescriptor * configuration);
}
/** For every descriptor that a Copy call of a device or an interface answered. */
void IOUSBHostFreeDescriptor(const void * descriptor);
