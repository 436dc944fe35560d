// Values and collections of DriverKit, and their C functions.
#include "host.h"
#include <Block.h>
#include <DriverKit/OSCollections.h>

static const DrydockMethod noMethods[] = { { 0, nullptr, nullptr, nullptr, nullptr } };
DRYDOCK_DEFINE_CLASS(OSContainer, OSObject, noMethods)
DRYDOCK_DEFINE_CLASS(OSCollection, OSContainer, noMethods)
DRYDOCK_DEFINE_CLASS(OSArray, OSCollection, noMethods)
DRYDOCK_DEFINE_CLASS(OSDictionary, OSCollection, noMethods)
DRYDOCK_DEFINE_CLASS(OSSet, OSCollection, noMethods)
DRYDOCK_DEFINE_CLASS(OSOrderedSet, OSCollection, noMethods)
DRYDOCK_DEFINE_CLASS(OSData, OSContainer, noMethods)
DRYDOCK_DEFINE_CLASS(OSString, OSContainer, noMethods)
DRYDOCK_DEFINE_CLASS(OSNumber, OSContainer, noMethods)
DRYDOCK_DEFINE_CLASS(OSBoolean, OSContainer, noMethods)
DRYDOCK_DEFINE_CLASS(OSSerialization, OSObject, noMethods)

template <typename T> static T * make()
{
    return drydock_host_may_allocate(sizeof(T)) ? (T *) drydock_allocate_object(&T::drydockClass.record) : nullptr;
}

/** 0: how many a collection has; 1, 2: where its values and its keys are. For the host, which knows that it is one. */
DRYDOCK_EXPORT(drydock_members) size_t drydock_members(const OSCollection * of, uint32_t which)
{
    return which == 0 ? of->drydockMembers : (size_t) (which == 1 ? of->drydockValues : of->drydockKeys);
}

static OSObject * object(const OSMetaClassBase * given) { return (OSObject *) const_cast<OSMetaClassBase *>(given); }

// Collections

uint32_t OSCollection::ensureCapacity(uint32_t wanted)
{
    if (wanted <= drydockCapacity) return drydockCapacity;
    if (wanted > 0x1000000) return drydockCapacity;
    uint32_t room = wanted < 8 ? 8 : wanted + wanted / 2;
    drydockValues = (OSObject **) realloc(drydockValues, room * sizeof(OSObject *));
    if (drydockHasKeys()) drydockKeys = (OSObject **) realloc(drydockKeys, room * sizeof(OSObject *));
    drydockCapacity = room;
    return room;
}

void OSCollection::drydockInsert(uint32_t index, OSObject * key, OSObject * value)
{
    DRYDOCK_RECEIVER(value, "setObject");
    value->retain();
    if (key) key->retain();
    ensureCapacity(drydockMembers + 1);
    for (uint32_t at = drydockMembers; at > index; at--) {
        drydockValues[at] = drydockValues[at - 1];
        if (drydockKeys) drydockKeys[at] = drydockKeys[at - 1];
    }
    drydockValues[index] = value;
    if (drydockKeys) drydockKeys[index] = key;
    drydockMembers++;
}

void OSCollection::drydockRemove(uint32_t index)
{
    if (index >= drydockMembers) return;
    OSObject * value = drydockValues[index];
    OSObject * key = drydockKeys ? drydockKeys[index] : nullptr;
    drydockMembers--;
    for (uint32_t at = index; at < drydockMembers; at++) {
        drydockValues[at] = drydockValues[at + 1];
        if (drydockKeys) drydockKeys[at] = drydockKeys[at + 1];
    }
    value->release();
    if (key) key->release();
}

void OSCollection::flushCollection() { while (drydockMembers > 0) drydockRemove(drydockMembers - 1); }

void OSCollection::free()
{
    flushCollection();
    ::free(drydockValues);
    ::free(drydockKeys);
    drydockValues = drydockKeys = nullptr;
    super::free();
}

bool OSCollection::iterateObjects(OSCollectionIterateObjectsBlock block) const
{
    for (uint32_t index = 0; index < drydockMembers; index++)
        if (block(drydockKeys ? drydockKeys[index] : drydockValues[index])) return true;
    return false;
}

OSCollection * OSCollection::copyCollection(OSDictionary *) const
{
    OSCollection * copy = (OSCollection *) drydock_allocate_object(&getMetaClass()->record);
    if (copy == nullptr) return nullptr;
    for (uint32_t index = 0; index < drydockMembers; index++) {
        OSObject * value = drydockValues[index];
        OSCollection * inner = OSDynamicCast(OSCollection, value);
        OSObject * member = inner ? (OSObject *) inner->copyCollection(nullptr) : value;
        copy->drydockInsert(index, drydockKeys ? drydockKeys[index] : nullptr, member);
        if (inner) member->release();
    }
    return copy;
}

static uint32_t indexOf(const OSCollection * in, const OSMetaClassBase * wanted, uint32_t from = 0)
{
    for (uint32_t index = from; index < in->drydockMembers; index++)
        if (in->drydockValues[index] == wanted) return index;
    return UINT32_MAX;
}

// OSArray

OSArrayPtr OSArray::withCapacity(uint32_t capacity)
{
    OSArray * made = make<OSArray>();
    if (made) made->ensureCapacity(capacity);
    return made;
}
OSArrayPtr OSArray::withArray(const OSArray * array, uint32_t capacity)
{
    if (array == nullptr) return nullptr;
    OSArray * made = withCapacity(capacity);
    if (made) made->merge(array);
    return made;
}
OSArrayPtr OSArray::withObjects(const OSObject ** values, uint32_t count, uint32_t capacity)
{
    OSArray * made = withCapacity(capacity);
    if (made) for (uint32_t index = 0; index < count; index++) made->setObject(values[index]);
    return made;
}
OSObject * OSArray::getObject(uint32_t index) const
{
    DRYDOCK_RECEIVER(this, "OSArray::getObject");
    return index < drydockMembers ? drydockValues[index] : nullptr;
}
OSObject * OSArray::getLastObject() const { return drydockMembers == 0 ? nullptr : drydockValues[drydockMembers - 1]; }
uint32_t OSArray::getNextIndexOfObject(const OSMetaClassBase * anObject, uint32_t index) const { return indexOf(this, anObject, index); }
bool OSArray::isEqualTo(const OSArray * other) const
{
    if (other == nullptr || other->drydockMembers != drydockMembers) return false;
    for (uint32_t index = 0; index < drydockMembers; index++)
        if (!drydockValues[index]->isEqualTo(other->drydockValues[index])) return false;
    return true;
}
bool OSArray::isEqualTo(const OSMetaClassBase * other) const { return isEqualTo((const OSArray *) OSDynamicCast(OSArray, other)); }
bool OSArray::merge(const OSArray * other)
{
    if (other == nullptr) return false;
    uint32_t count = other->drydockMembers;
    for (uint32_t index = 0; index < count; index++) setObject(other->drydockValues[index]);
    return true;
}
void OSArray::removeObject(uint32_t index) { drydockRemove(index); }
bool OSArray::replaceObject(uint32_t index, const OSMetaClassBase * anObject)
{
    if (anObject == nullptr || index >= drydockMembers) return false;
    anObject->retain();
    drydockValues[index]->release();
    drydockValues[index] = object(anObject);
    return true;
}
bool OSArray::setObject(const OSMetaClassBase * anObject) { return setObject(drydockMembers, anObject); }
bool OSArray::setObject(uint32_t index, const OSMetaClassBase * anObject)
{
    DRYDOCK_RECEIVER(this, "OSArray::setObject");
    if (anObject == nullptr || index > drydockMembers) return false;
    drydockInsert(index, nullptr, object(anObject));
    return true;
}

// OSDictionary

static uint32_t keyIndex(const OSDictionary * in, const char * key)
{
    DRYDOCK_RECEIVER(in, "OSDictionary::getObject");
    if (key == nullptr) return UINT32_MAX;
    for (uint32_t index = 0; index < in->drydockMembers; index++)
        if (strcmp(((OSString *) in->drydockKeys[index])->getCStringNoCopy(), key) == 0) return index;
    return UINT32_MAX;
}
static const char * keyText(const OSObject * key)
{
    const OSString * text = (const OSString *) OSDynamicCast(OSString, key);
    return text ? text->getCStringNoCopy() : nullptr;
}
OSDictionaryPtr OSDictionary::withCapacity(uint32_t capacity)
{
    OSDictionary * made = make<OSDictionary>();
    if (made) made->ensureCapacity(capacity);
    return made;
}
OSDictionaryPtr OSDictionary::withDictionary(const OSDictionary * dictionary, uint32_t capacity)
{
    if (dictionary == nullptr) return nullptr;
    OSDictionary * made = withCapacity(capacity);
    if (made) made->merge(dictionary);
    return made;
}
OSDictionaryPtr OSDictionary::withObjects(const OSObject ** values, const OSObject ** keys, uint32_t count, uint32_t capacity)
{
    OSDictionary * made = withCapacity(capacity);
    if (made) for (uint32_t index = 0; index < count; index++) made->setObject(keys[index], values[index]);
    return made;
}
OSObject * OSDictionary::getObject(const char * aKey) const
{
    uint32_t index = keyIndex(this, aKey);
    return index == UINT32_MAX ? nullptr : drydockValues[index];
}
OSObject * OSDictionary::getObject(const OSObject * aKey) const { return getObject(keyText(aKey)); }
bool OSDictionary::isEqualTo(const OSDictionary * other, const OSCollection *) const { return isEqualTo(other); }
bool OSDictionary::isEqualTo(const OSDictionary * other) const
{
    if (other == nullptr || other->drydockMembers != drydockMembers) return false;
    for (uint32_t index = 0; index < drydockMembers; index++) {
        OSObject * theirs = other->getObject(drydockKeys[index]);
        if (theirs == nullptr || !drydockValues[index]->isEqualTo(theirs)) return false;
    }
    return true;
}
bool OSDictionary::isEqualTo(const OSMetaClassBase * other) const { return isEqualTo((const OSDictionary *) OSDynamicCast(OSDictionary, other)); }
bool OSDictionary::iterateObjects(OSDictionaryIterateObjectsBlock block) const
{
    for (uint32_t index = 0; index < drydockMembers; index++)
        if (block(drydockKeys[index], drydockValues[index])) return true;
    return false;
}
bool OSDictionary::merge(const OSDictionary * other)
{
    if (other == nullptr) return false;
    for (uint32_t index = 0; index < other->drydockMembers; index++) setObject(other->drydockKeys[index], other->drydockValues[index]);
    return true;
}
void OSDictionary::removeObject(const char * aKey) { drydockRemove(keyIndex(this, aKey)); }
void OSDictionary::removeObject(const OSObject * aKey) { removeObject(keyText(aKey)); }
bool OSDictionary::setObject(const char * aKey, const OSMetaClassBase * anObject)
{
    OSString * key = OSString::withCString(aKey);
    if (key == nullptr) return false;
    bool done = setObject(key, anObject);
    key->release();
    return done;
}
bool OSDictionary::setObject(const OSObject * aKey, const OSMetaClassBase * anObject)
{
    const char * text = keyText(aKey);
    if (text == nullptr || anObject == nullptr) return false;
    uint32_t index = keyIndex(this, text);
    if (index == UINT32_MAX) drydockInsert(drydockMembers, const_cast<OSObject *>(aKey), object(anObject));
    else {
        anObject->retain();
        drydockValues[index]->release();
        drydockValues[index] = object(anObject);
    }
    return true;
}

// OSSet, OSOrderedSet

OSSetPtr OSSet::withCapacity(uint32_t capacity)
{
    OSSet * made = make<OSSet>();
    if (made) made->ensureCapacity(capacity);
    return made;
}
OSSetPtr OSSet::withArray(const OSArray * array, uint32_t capacity)
{
    OSSet * made = array ? withCapacity(capacity) : nullptr;
    if (made) made->merge(array);
    return made;
}
OSSetPtr OSSet::withObjects(const OSObject ** values, uint32_t count, uint32_t capacity)
{
    OSSet * made = withCapacity(capacity);
    if (made) for (uint32_t index = 0; index < count; index++) made->setObject(values[index]);
    return made;
}
bool OSSet::containsObject(const OSMetaClassBase * anObject) const { return indexOf(this, anObject) != UINT32_MAX; }
OSObject * OSSet::getAnyObject() const { return drydockMembers == 0 ? nullptr : drydockValues[0]; }
bool OSSet::merge(const OSArray * other)
{
    if (other == nullptr) return false;
    for (uint32_t index = 0; index < other->getCount(); index++) setObject(other->getObject(index));
    return true;
}
void OSSet::removeObject(const OSMetaClassBase * anObject) { drydockRemove(indexOf(this, anObject)); }
bool OSSet::setObject(const OSMetaClassBase * anObject)
{
    if (anObject == nullptr || containsObject(anObject)) return false;
    drydockInsert(drydockMembers, nullptr, object(anObject));
    return true;
}
OSOrderedSetPtr OSOrderedSet::withCapacity(uint32_t capacity, OSOrderBlock orderBlock)
{
    OSOrderedSet * made = make<OSOrderedSet>();
    if (made == nullptr) return nullptr;
    made->ensureCapacity(capacity);
    if (orderBlock) made->drydockOrder = Block_copy(orderBlock);
    return made;
}
void OSOrderedSet::free()
{
    if (drydockOrder) Block_release(drydockOrder);
    super::free();
}
OSObject * OSOrderedSet::getObject(uint32_t index) const { return index < drydockMembers ? drydockValues[index] : nullptr; }
OSObject * OSOrderedSet::getFirstObject() const { return getObject(0); }
OSObject * OSOrderedSet::getLastObject() const { return drydockMembers == 0 ? nullptr : getObject(drydockMembers - 1); }
int32_t OSOrderedSet::orderObject(const OSMetaClassBase * anObject) { return drydockOrder ? drydockOrder(anObject, anObject) : 0; }
bool OSOrderedSet::containsObject(const OSMetaClassBase * anObject) const { return indexOf(this, anObject) != UINT32_MAX; }
bool OSOrderedSet::setFirstObject(const OSMetaClassBase * anObject)
{
    if (anObject == nullptr || containsObject(anObject)) return false;
    drydockInsert(0, nullptr, object(anObject));
    return true;
}
bool OSOrderedSet::setLastObject(const OSMetaClassBase * anObject)
{
    if (anObject == nullptr || containsObject(anObject)) return false;
    drydockInsert(drydockMembers, nullptr, object(anObject));
    return true;
}
bool OSOrderedSet::setObject(const OSMetaClassBase * anObject)
{
    if (anObject == nullptr || containsObject(anObject)) return false;
    uint32_t index = 0;
    while (drydockOrder && index < drydockMembers && drydockOrder(drydockValues[index], anObject) >= 0) index++;
    drydockInsert(drydockOrder ? index : drydockMembers, nullptr, object(anObject));
    return true;
}
void OSOrderedSet::removeObject(const OSMetaClassBase * anObject) { drydockRemove(indexOf(this, anObject)); }

// OSData

OSDataPtr OSData::withCapacity(uint32_t capacity)
{
    OSData * made = make<OSData>();
    if (made == nullptr) return nullptr;
    made->drydockBytes = (uint8_t *) calloc(1, capacity ? capacity : 1);
    made->drydockCapacity = capacity;
    return made;
}
OSDataPtr OSData::withBytes(const void * bytes, size_t numBytes)
{
    OSData * made = withCapacity((uint32_t) numBytes);
    if (made) made->appendBytes(bytes, numBytes);
    return made;
}
OSDataPtr OSData::withBytesNoCopy(void * bytes, size_t numBytes)
{
    OSData * made = make<OSData>();
    if (made == nullptr) return nullptr;
    made->drydockBytes = (uint8_t *) bytes;
    made->drydockLength = made->drydockCapacity = numBytes;
    made->drydockIsBorrowed = true;
    return made;
}
OSDataPtr OSData::withData(const OSData * inData, size_t start, size_t numBytes)
{
    if (inData == nullptr || start > inData->drydockLength || numBytes > inData->drydockLength - start) return nullptr;
    return withBytes(inData->drydockBytes + start, numBytes);
}
OSDataPtr OSData::withData(const OSData * inData) { return inData ? withBytes(inData->drydockBytes, inData->drydockLength) : nullptr; }
bool OSData::appendBytes(const OSData * other) { return other == nullptr || appendBytes(other->drydockBytes, other->drydockLength); }
bool OSData::appendBytes(const void * bytes, size_t numBytes)
{
    DRYDOCK_RECEIVER(this, "OSData::appendBytes");
    if (drydockIsBorrowed) return false;
    if (numBytes == 0) return true;
    if (drydockLength + numBytes > drydockCapacity) {
        uint8_t * grown = (uint8_t *) realloc(drydockBytes, drydockLength + numBytes);
        if (grown == nullptr) return false;
        drydockBytes = grown;
        drydockCapacity = drydockLength + numBytes;
    }
    if (bytes) memcpy(drydockBytes + drydockLength, bytes, numBytes);
    else memset(drydockBytes + drydockLength, 0, numBytes);
    drydockLength += numBytes;
    return true;
}
void OSData::free()
{
    if (!drydockIsBorrowed) ::free(drydockBytes);
    drydockBytes = nullptr;
    super::free();
}
const void * OSData::getBytesNoCopy(size_t start, size_t numBytes) const
{
    DRYDOCK_RECEIVER(this, "OSData::getBytesNoCopy");
    return start <= drydockLength && numBytes <= drydockLength - start ? drydockBytes + start : nullptr;
}
bool OSData::isEqualTo(const OSData * other) const { return other && isEqualTo(other->drydockBytes, other->drydockLength); }
bool OSData::isEqualTo(const OSMetaClassBase * other) const { return isEqualTo((const OSData *) OSDynamicCast(OSData, other)); }
bool OSData::isEqualTo(const OSString * other) const { return other && isEqualTo(other->getCStringNoCopy(), other->getLength()); }
bool OSData::isEqualTo(const void * bytes, size_t numBytes) const { return numBytes == drydockLength && memcmp(drydockBytes, bytes, numBytes) == 0; }

// OSString

OSStringPtr OSString::withCString(const char * cString) { return cString ? withCString(cString, strlen(cString)) : nullptr; }
OSStringPtr OSString::withCString(const char * cString, size_t length)
{
    if (cString == nullptr) return nullptr;
    OSString * made = make<OSString>();
    if (made == nullptr) return nullptr;
    char * text = (char *) malloc(length + 1);
    memcpy(text, cString, length);
    text[length] = 0;
    made->drydockText = text;
    made->drydockLength = strlen(text);
    return made;
}
OSStringPtr OSString::withCStringNoCopy(const char * cString)
{
    OSString * made = cString ? make<OSString>() : nullptr;
    if (made == nullptr) return nullptr;
    made->drydockText = cString;
    made->drydockLength = strlen(cString);
    made->drydockIsBorrowed = true;
    return made;
}
OSStringPtr OSString::withString(const OSString * other) { return other ? withCString(other->drydockText, other->drydockLength) : nullptr; }
void OSString::free()
{
    if (!drydockIsBorrowed) ::free((void *) drydockText);
    drydockText = nullptr;
    super::free();
}
bool OSString::isEqualTo(const char * cString) const { return cString && strcmp(drydockText, cString) == 0; }
bool OSString::isEqualTo(const OSString * other) const { return other && isEqualTo(other->drydockText); }
bool OSString::isEqualTo(const OSData * other) const { return other && other->isEqualTo(drydockText, drydockLength); }
bool OSString::isEqualTo(const OSMetaClassBase * other) const { return isEqualTo((const OSString *) OSDynamicCast(OSString, other)); }

// OSNumber, OSBoolean

OSNumberPtr OSNumber::withNumber(uint64_t value, size_t numberOfBits)
{
    if (numberOfBits != 8 && numberOfBits != 16 && numberOfBits != 32 && numberOfBits != 64) return nullptr;
    OSNumber * made = make<OSNumber>();
    if (made == nullptr) return nullptr;
    made->drydockBits = numberOfBits;
    made->setValue(value);
    return made;
}
OSNumberPtr OSNumber::withNumber(const char * valueString, size_t numberOfBits)
{
    return valueString ? withNumber((uint64_t) strtoll(valueString, nullptr, 0), numberOfBits) : nullptr;
}
void OSNumber::setValue(uint64_t value) { drydockValue = drydockBits == 64 ? value : value & (((uint64_t) 1 << drydockBits) - 1); }
bool OSNumber::isEqualTo(const OSNumber * other) const { return other && other->drydockValue == drydockValue; }
bool OSNumber::isEqualTo(const OSMetaClassBase * other) const { return isEqualTo((const OSNumber *) OSDynamicCast(OSNumber, other)); }

static OSBoolean * makeBoolean(bool value)
{
    OSBoolean * made = new (calloc(1, sizeof(OSBoolean))) OSBoolean;
    made->drydockCount = 1;
    made->drydockMagic = drydockAlive;
    made->drydockValue = value;
    return made;
}
OSBooleanPtr kOSBooleanTrue = makeBoolean(true);
OSBooleanPtr kOSBooleanFalse = makeBoolean(false);
OSBooleanPtr OSBoolean::withBoolean(bool value) { return value ? kOSBooleanTrue : kOSBooleanFalse; }

// C functions

extern "C" {
OSArrayPtr OSArrayCreate() { return OSArray::withCapacity(0); }
bool OSArrayAppendValue(OSArrayPtr obj, OSObjectPtr value) { return obj->setObject(value); }
uint32_t OSArrayGetCount(OSArrayPtr obj) { return obj->getCount(); }
OSObjectPtr OSArrayGetValue(OSArrayPtr obj, size_t index) { return obj->getObject((uint32_t) index); }
const char * OSArrayGetStringValue(OSArrayPtr obj, size_t index)
{
    OSString * text = OSDynamicCast(OSString, obj->getObject((uint32_t) index));
    return text ? text->getCStringNoCopy() : nullptr;
}
uint64_t OSArrayGetUInt64Value(OSArrayPtr obj, size_t index) { return OSNumberGetUInt64Value(OSDynamicCast(OSNumber, obj->getObject((uint32_t) index))); }
bool OSArraySetValue(OSArrayPtr obj, size_t index, OSObjectPtr value) { return obj->setObject((uint32_t) index, value); }
bool OSArrayReplaceValue(OSArrayPtr obj, size_t index, OSObjectPtr value) { return obj->replaceObject((uint32_t) index, value); }
void OSArraySetStringValue(OSArrayPtr obj, size_t index, const char * value)
{
    OSString * text = OSString::withCString(value);
    if (text == nullptr) return;
    obj->setObject((uint32_t) index, text);
    text->release();
}
void OSArraySetUInt64Value(OSArrayPtr obj, size_t index, uint64_t value)
{
    OSNumber * number = OSNumber::withNumber(value, 64);
    if (number == nullptr) return;
    obj->setObject((uint32_t) index, number);
    number->release();
}
OSDictionaryPtr OSDictionaryCreate() { return OSDictionary::withCapacity(0); }
uint32_t OSDictionaryGetCount(OSDictionaryPtr obj) { return obj->getCount(); }
OSObjectPtr OSDictionaryGetValue(OSDictionaryPtr obj, const char * key) { return obj->getObject(key); }
const char * OSDictionaryGetStringValue(OSDictionaryPtr obj, const char * key)
{
    OSString * text = OSDynamicCast(OSString, obj->getObject(key));
    return text ? text->getCStringNoCopy() : nullptr;
}
uint64_t OSDictionaryGetUInt64Value(OSDictionaryPtr obj, const char * key) { return OSNumberGetUInt64Value(OSDynamicCast(OSNumber, obj->getObject(key))); }
bool OSDictionarySetValue(OSDictionaryPtr obj, const char * key, OSObjectPtr value) { return obj->setObject(key, value); }
void OSDictionarySetStringValue(OSDictionaryPtr obj, const char * key, const char * value)
{
    OSString * text = OSString::withCString(value);
    if (text == nullptr) return;
    obj->setObject(key, text);
    text->release();
}
void OSDictionarySetUInt64Value(OSDictionaryPtr obj, const char * key, uint64_t value)
{
    OSNumber * number = OSNumber::withNumber(value, 64);
    if (number == nullptr) return;
    obj->setObject(key, number);
    number->release();
}
OSDataPtr OSDataCreate(const void * bytes, size_t length) { return OSData::withBytes(bytes, length); }
bool OSDataAppendBytes(OSDataPtr data, const void * bytes, size_t length) { return data->appendBytes(bytes, length); }
size_t OSDataGetBytes(OSDataPtr obj, void * buffer, size_t offset, size_t length)
{
    if (offset > obj->getLength()) return 0;
    size_t count = obj->getLength() - offset < length ? obj->getLength() - offset : length;
    memcpy(buffer, obj->drydockBytes + offset, count);
    return count;
}
const void * OSDataGetBytesPtr(OSDataPtr obj, size_t offset, size_t length) { return obj->getBytesNoCopy(offset, length); }
size_t OSDataGetLength(OSDataPtr obj) { return obj->getLength(); }
OSNumberPtr OSNumberCreateWithUInt64Value(uint64_t value) { return OSNumber::withNumber(value, 64); }
uint64_t OSNumberGetUInt64Value(OSNumberPtr obj) { return obj ? obj->unsigned64BitValue() : 0; }
OSStringPtr OSStringCreate(const char * cstring, size_t length) { return OSString::withCString(cstring, length); }
size_t OSStringGetLength(OSStringPtr string) { return string->getLength(); }
const char * OSStringGetStringPtr(OSStringPtr obj) { return obj->getCStringNoCopy(); }
void OSObjectLog(OSObjectPtr obj) { IOLog("%s", obj ? obj->GetClassName() : "(null)"); }
void OSObjectRelease(OSObjectPtr container) { if (container) container->release(); }
void OSObjectRetain(OSObjectPtr container) { if (container) container->retain(); }
}
