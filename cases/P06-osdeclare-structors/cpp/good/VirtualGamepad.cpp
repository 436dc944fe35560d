// P06, right: a gamepad of two axes and eight buttons without hardware.

#include <DriverKit/DriverKit.h>
#include <HIDDriverKit/HIDDriverKit.h>
#include "VirtualGamepad.h"

static constexpr uint32_t reportBytes = 3;

// HID 1.11, 6.2.2: a gamepad with X and Y of a byte each, then buttons 1 to 8.
static const uint8_t reportDescriptor[] = {
    0x05, 0x01, 0x09, 0x05, 0xa1, 0x01,
    0x09, 0x30, 0x09, 0x31, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x02, 0x81, 0x02,
    0x05, 0x09, 0x19, 0x01, 0x29, 0x08, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02,
    0xc0,
};

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
    return IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, reportBytes, 0, &ivars->report) == kIOReturnSuccess;
}

static void setNumber(OSDictionary * table, const char * key, uint32_t value)
{
    OSNumber * number = OSNumber::withNumber(value, 32);
    if (number != nullptr) table->setObject(key, number);
    OSSafeReleaseNULL(number);
}

static void setText(OSDictionary * table, const char * key, const char * value)
{
    OSString * text = OSString::withCString(value);
    if (text != nullptr) table->setObject(key, text);
    OSSafeReleaseNULL(text);
}

OSDictionary * VirtualGamepad::newDeviceDescription()
{
    OSDictionary * description = OSDictionary::withCapacity(8);
    if (description == nullptr) return nullptr;
    description->setObject(kIOHIDRegisterServiceKey, kOSBooleanTrue);
    setNumber(description, kIOHIDVendorIDKey, 0x1209);
    setNumber(description, kIOHIDProductIDKey, 6);
    setText(description, kIOHIDTransportKey, "Virtual");
    setText(description, kIOHIDProductKey, "Virtual gamepad");
    return description;
}

OSData * VirtualGamepad::newReportDescriptor()
{
    return OSData::withBytes(reportDescriptor, sizeof(reportDescriptor));
}

kern_return_t IMPL(VirtualGamepad, Post)
{
    IOAddressSegment range = {};
    kern_return_t ret = ivars->report->GetAddressRange(&range);
    if (ret != kIOReturnSuccess) return ret;
    uint8_t * bytes = reinterpret_cast<uint8_t *>(range.address);
    bytes[0] = static_cast<uint8_t>(x);
    bytes[1] = static_cast<uint8_t>(y);
    bytes[2] = static_cast<uint8_t>(buttons);
    return handleReport(mach_absolute_time(), ivars->report, reportBytes, kIOHIDReportTypeInput, 0);
}
