// OSContainer and OSCollection: what values and collections have in common.
#pragma once
#include <drydock/class.h>

class OSDictionary;
class OSContainer : public OSObject {
public:
    DRYDOCK_CLASS(OSContainer)
    using super = OSObject;
};
extern OSMetaClass * gOSContainerMetaClass;
typedef OSContainer * OSContainerPtr;

typedef bool (^OSCollectionIterateObjectsBlock)(OSObject * object);

class OSCollection : public OSContainer {
public:
    DRYDOCK_CLASS(OSCollection)
    using super = OSContainer;
    void free() override;
    virtual uint32_t getCount() const { return drydockMembers; }
    virtual uint32_t getCapacity() const { return drydockCapacity; }
    virtual uint32_t ensureCapacity(uint32_t newCapacity);
    virtual void flushCollection();
    /** Stops, and answers true, when `block` answers true. */
    virtual bool iterateObjects(OSCollectionIterateObjectsBlock block) const;
    OSCollection * copyCollection(OSDictionary * cycleDict = nullptr) const;
    /** Members, and for dictionaries their keys. */
    OSObject ** drydockValues = nullptr;
    OSObject ** drydockKeys = nullptr;
    uint32_t drydockMembers = 0;
    uint32_t drydockCapacity = 0;
    void drydockInsert(uint32_t index, OSObject * key, OSObject * value);
    void drydockRemove(uint32_t index);
    virtual bool drydockHasKeys() const { return false; }
};
extern OSMetaClass * gOSCollectionMetaClass;
typedef OSCollection * OSCollectionPtr;
