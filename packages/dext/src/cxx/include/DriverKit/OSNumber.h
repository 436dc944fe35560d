// OSNumber: an integer of 8, 16, 32 or 64 bits; equal by value, whatever its width.
#pragma once
#include <DriverKit/OSContainer.h>

class OSNumber;
typedef OSNumber * OSNumberPtr;
class OSNumber : public OSContainer {
public:
    DRYDOCK_CLASS(OSNumber)
    using super = OSContainer;
    uint64_t drydockValue = 0;
    size_t drydockBits = 0;
    static OSNumberPtr withNumber(const char * valueString, size_t numberOfBits);
    static OSNumberPtr withNumber(uint64_t value, size_t numberOfBits);
    size_t numberOfBits() const { return drydockBits; }
    size_t numberOfBytes() const { return (drydockBits + 7) / 8; }
    uint8_t unsigned8BitValue() const { return (uint8_t) drydockValue; }
    uint16_t unsigned16BitValue() const { return (uint16_t) drydockValue; }
    uint32_t unsigned32BitValue() const { return (uint32_t) drydockValue; }
    uint64_t unsigned64BitValue() const { return drydockValue; }
    void setValue(uint64_t value);
    void addValue(int64_t value) { setValue(drydockValue + (uint64_t) value); }
    bool isEqualTo(const OSMetaClassBase * anObject) const override;
    bool isEqualTo(const OSNumber * aNumber) const;
};
extern OSMetaClass * gOSNumberMetaClass;
