// OSBoolean: two objects, which are never freed.
#pragma once
#include <DriverKit/OSContainer.h>

class OSBoolean;
typedef OSBoolean * OSBooleanPtr;
class OSBoolean : public OSContainer {
public:
    DRYDOCK_CLASS(OSBoolean)
    using super = OSContainer;
    bool drydockValue = false;
    static OSBooleanPtr withBoolean(bool value);
    void retain() const override {}
    void release() const override {}
    void free() override {}
    bool isTrue() const { return drydockValue; }
    bool isFalse() const { return !drydockValue; }
    bool getValue() const { return drydockValue; }
};
extern OSMetaClass * gOSBooleanMetaClass;
extern OSBooleanPtr kOSBooleanTrue;
extern OSBooleanPtr kOSBooleanFalse;
