// OSOrderedSet: each object once, in the order that a block gives.
#pragma once
#include <DriverKit/OSContainer.h>

class OSOrderedSet;
typedef OSOrderedSet * OSOrderedSetPtr;
typedef int32_t (^OSOrderBlock)(const OSMetaClassBase * left, const OSMetaClassBase * right);
class OSOrderedSet : public OSCollection {
public:
    DRYDOCK_CLASS(OSOrderedSet)
    using super = OSCollection;
    OSOrderBlock drydockOrder = nullptr;
    static OSOrderedSetPtr withCapacity(uint32_t capacity, OSOrderBlock orderBlock = nullptr);
    void free() override;
    OSObject * getObject(uint32_t index) const;
    OSObject * getFirstObject() const;
    OSObject * getLastObject() const;
    int32_t orderObject(const OSMetaClassBase * anObject);
    bool setFirstObject(const OSMetaClassBase * anObject);
    bool setLastObject(const OSMetaClassBase * anObject);
    bool setObject(const OSMetaClassBase * anObject);
    bool containsObject(const OSMetaClassBase * anObject) const;
    void removeObject(const OSMetaClassBase * anObject);
};
extern OSMetaClass * gOSOrderedSetMetaClass;
