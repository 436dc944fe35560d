// OSDictionary: objects by string, keys and values retained.
#pragma once
#include <DriverKit/OSContainer.h>
#include <DriverKit/OSString.h>

class OSDictionary;
typedef OSDictionary * OSDictionaryPtr;
typedef bool (^OSDictionaryIterateObjectsBlock)(OSObject * key, OSObject * value);
class OSDictionary : public OSCollection {
public:
    DRYDOCK_CLASS(OSDictionary)
    using super = OSCollection;
    static OSDictionaryPtr withCapacity(uint32_t capacity);
    static OSDictionaryPtr withDictionary(const OSDictionary * dictionary, uint32_t capacity = 0);
    static OSDictionaryPtr withObjects(const OSObject ** values, const OSObject ** keys, uint32_t count, uint32_t capacity = 0);
    OSObject * getObject(const char * aKey) const;
    OSObject * getObject(const OSObject * aKey) const;
    bool isEqualTo(const OSDictionary * aDictionary, const OSCollection * keys) const;
    bool isEqualTo(const OSDictionary * aDictionary) const;
    bool isEqualTo(const OSMetaClassBase * anObject) const override;
    using OSCollection::iterateObjects;
    bool iterateObjects(OSDictionaryIterateObjectsBlock block) const;
    bool merge(const OSDictionary * otherDictionary);
    void removeObject(const char * aKey);
    void removeObject(const OSObject * aKey);
    bool setObject(const char * aKey, const OSMetaClassBase * anObject);
    bool setObject(const OSObject * aKey, const OSMetaClassBase * anObject);
    bool drydockHasKeys() const override { return true; }
};
extern OSMetaClass * gOSDictionaryMetaClass;
