// What the files of the driver of P02 know together.

#pragma once

#include <USBDriverKit/USBDriverKit.h>
#include "P02Driver.h"

struct P02Driver_IVars
{
    IOUSBHostInterface * interface;
    uint8_t control;
};

enum : uint8_t {
    classRequestOut = kIOUSBDeviceRequestDirectionOut | kIOUSBDeviceRequestTypeClass | kIOUSBDeviceRequestRecipientInterface,
    classRequestIn = kIOUSBDeviceRequestDirectionIn | kIOUSBDeviceRequestTypeClass | kIOUSBDeviceRequestRecipientInterface,
    setLineCodingRequest = 0x20,
    getLineCodingRequest = 0x21,
    sendBreakRequest = 0x23,
};

// PSTN 1.2, table 17.
constexpr uint16_t lineCodingBytes = 7;
constexpr uint32_t timeoutMs = 1000;
