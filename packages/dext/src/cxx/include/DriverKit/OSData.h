// OSData: bytes.
#pragma once
#include <DriverKit/OSContainer.h>

class OSString;
class OSData;
typedef OSData * OSDataPtr;
class OSData : public OSContainer {
public:
    DRYDOCK_CLASS(OSData)
    using super = OSContainer;
    uint8_t * drydockBytes = nullptr;
    size_t drydockLength = 0;
    size_t drydockCapacity = 0;
    bool drydockIsBorrowed = false;
    static OSDataPtr withBytes(const void * bytes, size_t numBytes);
    static OSDataPtr withBytesNoCopy(void * bytes, size_t numBytes);
    static OSDataPtr withCapacity(uint32_t capacity);
    static OSDataPtr withData(const OSData * inData, size_t start, size_t numBytes);
    static OSDataPtr withData(const OSData * inData);
    bool appendBytes(const OSData * aDataObj);
    bool appendBytes(const void * bytes, size_t numBytes);
    void free() override;
    const void * getBytesNoCopy(size_t start, size_t numBytes) const;
    const void * getBytesNoCopy() const { return drydockBytes; }
    size_t getCapacity() const { return drydockCapacity; }
    size_t getLength() const { return drydockLength; }
    bool isEqualTo(const OSData * aDataObj) const;
    bool isEqualTo(const OSMetaClassBase * anObject) const override;
    bool isEqualTo(const OSString * aString) const;
    bool isEqualTo(const void * bytes, size_t numBytes) const;
};
extern OSMetaClass * gOSDataMetaClass;
