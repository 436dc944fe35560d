// OSArray: objects in order, each retained.
#pragma once
#include <DriverKit/OSContainer.h>

class OSArray;
typedef OSArray * OSArrayPtr;
class OSArray : public OSCollection {
public:
    DRYDOCK_CLASS(OSArray)
    using super = OSCollection;
    static OSArrayPtr withArray(const OSArray * array, uint32_t capacity = 0);
    static OSArrayPtr withCapacity(uint32_t capacity);
    static OSArrayPtr withObjects(const OSObject ** values, uint32_t count, uint32_t capacity = 0);
    OSObject * getObject(uint32_t index) const;
    OSObject * getLastObject() const;
    uint32_t getNextIndexOfObject(const OSMetaClassBase * anObject, uint32_t index) const;
    bool isEqualTo(const OSArray * anArray) const;
    bool isEqualTo(const OSMetaClassBase * anObject) const override;
    bool merge(const OSArray * otherArray);
    void removeObject(uint32_t index);
    bool replaceObject(uint32_t index, const OSMetaClassBase * anObject);
    bool setObject(const OSMetaClassBase * anObject);
    bool setObject(uint32_t index, const OSMetaClassBase * anObject);
};
extern OSMetaClass * gOSArrayMetaClass;
