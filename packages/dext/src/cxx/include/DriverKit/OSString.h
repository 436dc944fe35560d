// OSString: text that does not change. OSSymbol is the same.
#pragma once
#include <DriverKit/OSContainer.h>

class OSData;
class OSString;
typedef OSString * OSStringPtr;
typedef OSString OSSymbol;
class OSString : public OSContainer {
public:
    DRYDOCK_CLASS(OSString)
    using super = OSContainer;
    const char * drydockText = nullptr;
    size_t drydockLength = 0;
    bool drydockIsBorrowed = false;
    static OSStringPtr withCString(const char * cString);
    static OSStringPtr withCString(const char * cString, size_t length);
    static OSStringPtr withCStringNoCopy(const char * cString);
    static OSStringPtr withString(const OSString * aString);
    void free() override;
    const char * getCStringNoCopy() const { return drydockText; }
    size_t getLength() const { return drydockLength; }
    bool isEqualTo(const OSData * aDataObject) const;
    bool isEqualTo(const char * cString) const;
    bool isEqualTo(const OSString * aString) const;
    bool isEqualTo(const OSMetaClassBase * anObject) const override;
};
extern OSMetaClass * gOSStringMetaClass;
