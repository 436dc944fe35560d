// The elements that a keyboard has are read after each report; the panel keeps one byte.
#include <os/log.h>

#include <DriverKit/DriverKit.h>
#include <HIDDriverKit/HIDDriverKit.h>

#include "Keys.h"

OSDictionary * Keys::newDeviceDescription()
{
    OSDictionary * description = super::newDeviceDescription();
    if (description == nullptr) return nullptr;
    OSDictionarySetStringValue(description, "Manufacturer", "C++");
    return description;
}

struct KeyEvents_IVars
{
    OSArray * elements;
};

bool KeyEvents::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(KeyEvents_IVars, 1);
    return ivars != nullptr;
}

void KeyEvents::free()
{
    if (ivars != nullptr) OSSafeReleaseNULL(ivars->elements);
    IOSafeDeleteNULL(ivars, KeyEvents_IVars, 1);
    super::free();
}

kern_return_t IMPL(KeyEvents, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    return result != kIOReturnSuccess ? result : RegisterService();
}

bool KeyEvents::handleStart(IOService * provider)
{
    if (!super::handleStart(provider)) return false;
    OSArray * all = getElements();
    if (all == nullptr) return false;
    ivars->elements = OSArray::withCapacity(all->getCount());
    for (uint32_t index = 0; index < all->getCount(); index++) {
        IOHIDElement * element = OSDynamicCast(IOHIDElement, all->getObject(index));
        if (element == nullptr || element->getType() == kIOHIDElementTypeCollection) continue;
        ivars->elements->setObject(element);
    }
    return ivars->elements->getCount() > 0;
}

void KeyEvents::handleReport(uint64_t timestamp, uint8_t * report, uint32_t reportLength, IOHIDReportType type, uint32_t reportID)
{
    super::handleReport(timestamp, report, reportLength, type, reportID);
    for (uint32_t index = 0; index < ivars->elements->getCount(); index++) {
        IOHIDElement * key = OSDynamicCast(IOHIDElement, ivars->elements->getObject(index));
        if (key->getUsagePage() != kHIDPage_KeyboardOrKeypad || key->getUsage() < 4 || key->getReportID() != reportID) continue;
        if (key->getTimeStamp() != timestamp || key->getValue() == key->getValue(kIOHIDValueOptionsFlagPrevious)) continue;
        dispatchKeyboardEvent(timestamp, key->getUsagePage(), key->getUsage(), key->getValue(), 0);
    }
}

kern_return_t IMPL(KeyEvents, SetLEDState)
{
    for (uint32_t index = 0; index < ivars->elements->getCount(); index++) {
        IOHIDElement * led = OSDynamicCast(IOHIDElement, ivars->elements->getObject(index));
        if (led->getUsagePage() != usagePage || led->getUsage() != usage || led->getType() != kIOHIDElementTypeOutput) continue;
        led->setValue(on ? 1 : 0);
        return led->commit(kIOHIDElementCommitDirectionOut);
    }
    return kIOReturnUnsupported;
}

struct Panel_IVars
{
    uint8_t level;
};

/** Vendor page, one feature report of two bytes (HID 1.11 §6.2.2). */
static const uint8_t kDescriptor[] = {
    0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x09, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x02, 0xb1, 0x02, 0xc0,
};

bool Panel::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(Panel_IVars, 1);
    return ivars != nullptr;
}

void Panel::free()
{
    IOSafeDeleteNULL(ivars, Panel_IVars, 1);
    super::free();
}

bool Panel::handleStart(IOService * provider)
{
    ivars->level = 7;
    return super::handleStart(provider);
}

OSDictionary * Panel::newDeviceDescription()
{
    OSDictionary * description = OSDictionary::withCapacity(2);
    OSDictionarySetUInt64Value(description, kIOHIDVendorIDKey, 0x1209);
    OSDictionarySetStringValue(description, kIOHIDTransportKey, "Virtual");
    return description;
}

OSData * Panel::newReportDescriptor() { return OSData::withBytes(kDescriptor, sizeof kDescriptor); }

kern_return_t Panel::getReport(IOMemoryDescriptor * report, IOHIDReportType reportType, IOOptionBits, uint32_t, OSAction * action)
{
    if (reportType != kIOHIDReportTypeFeature) return kIOReturnUnsupported;
    IOMemoryMap * map = nullptr;
    kern_return_t result = report->CreateMapping(0, 0, 0, 0, 0, &map);
    if (result != kIOReturnSuccess) return result;
    uint8_t * bytes = (uint8_t *) map->GetAddress();
    bytes[0] = ivars->level;
    bytes[1] = (uint8_t) ~ivars->level;
    map->release();
    CompleteReport(action, kIOReturnSuccess, 2);
    return kIOReturnSuccess;
}

kern_return_t Panel::setReport(IOMemoryDescriptor * report, IOHIDReportType reportType, IOOptionBits, uint32_t, OSAction * action)
{
    if (reportType != kIOHIDReportTypeFeature) return kIOReturnUnsupported;
    uint64_t address = 0;
    uint64_t length = 0;
    kern_return_t result = report->Map(0, 0, 0, 0, &address, &length);
    if (result != kIOReturnSuccess) return result;
    ivars->level = *(const uint8_t *) address;
    CompleteReport(action, kIOReturnSuccess, (uint32_t) length);
    return kIOReturnSuccess;
}
