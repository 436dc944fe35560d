// OSSet: each object once.
#pragma once
#include <DriverKit/OSArray.h>

class OSSet;
typedef OSSet * OSSetPtr;
class OSSet : public OSCollection {
public:
    DRYDOCK_CLASS(OSSet)
    using super = OSCollection;
    static OSSetPtr withArray(const OSArray * array, uint32_t capacity = 0);
    static OSSetPtr withCapacity(uint32_t capacity);
    static OSSetPtr withObjects(const OSObject ** values, uint32_t count, uint32_t capacity = 0);
    bool containsObject(const OSMetaClassBase * anObject) const;
    bool member(const OSMetaClassBase * anObject) const { return containsObject(anObject); }
    OSObject * getAnyObject() const;
    bool merge(const OSArray * otherArray);
    void removeObject(const OSMetaClassBase * anObject);
    bool setObject(const OSMetaClassBase * anObject);
};
extern OSMetaClass * gOSSetMetaClass;
