// Values as bytes for the host, and back: one letter, then what follows from it (host/values.ts reads the same).
#include "host.h"
#include <DriverKit/OSCollections.h>

namespace {
struct Writer {
    uint8_t * bytes = nullptr;
    size_t length = 0;
    size_t room = 0;
    void put(const void * from, size_t count)
    {
        if (length + count > room) {
            room = (length + count) * 2;
            bytes = (uint8_t *) realloc(bytes, room);
        }
        memcpy(bytes + length, from, count);
        length += count;
    }
    void put8(uint8_t value) { put(&value, 1); }
    void put32(uint32_t value) { put(&value, 4); }
    void put64(uint64_t value) { put(&value, 8); }
    void text(char letter, const void * from, size_t count)
    {
        put8((uint8_t) letter);
        put32((uint32_t) count);
        put(from, count);
    }
    void value(const OSMetaClassBase * given, unsigned depth)
    {
        const OSObject * object = (const OSObject *) given;
        if (object == nullptr || depth > 32) { put8('0'); return; }
        if (const OSString * text_ = (const OSString *) OSDynamicCast(OSString, object)) { text('s', text_->getCStringNoCopy(), text_->getLength()); return; }
        if (const OSData * data = (const OSData *) OSDynamicCast(OSData, object)) { text('x', data->getBytesNoCopy(), data->getLength()); return; }
        if (const OSNumber * number = (const OSNumber *) OSDynamicCast(OSNumber, object)) {
            put8('n');
            put8((uint8_t) number->numberOfBits());
            put64(number->unsigned64BitValue());
            return;
        }
        if (const OSBoolean * boolean = (const OSBoolean *) OSDynamicCast(OSBoolean, object)) { put8(boolean->getValue() ? 't' : 'f'); return; }
        if (const OSCollection * all = (const OSCollection *) OSDynamicCast(OSCollection, object)) {
            put8(all->drydockHasKeys() ? 'd' : 'a');
            put32(all->getCount());
            for (uint32_t index = 0; index < all->getCount(); index++) {
                if (all->drydockHasKeys()) value(all->drydockKeys[index], depth + 1);
                value(all->drydockValues[index], depth + 1);
            }
            return;
        }
        text('o', object->GetClassName(), strlen(object->GetClassName()));
    }
};

struct Reader {
    const uint8_t * at;
    const uint8_t * end;
    template <typename T> T take()
    {
        T value = 0;
        if ((size_t) (end - at) >= sizeof(T)) memcpy(&value, at, sizeof(T));
        at += sizeof(T);
        return value;
    }
    OSObject * value(unsigned depth)
    {
        if (at >= end || depth > 32) return nullptr;
        uint8_t letter = take<uint8_t>();
        switch (letter) {
        case 's': { uint32_t count = take<uint32_t>(); const char * from = (const char *) at; at += count; return at <= end ? OSString::withCString(from, count) : nullptr; }
        case 'x': { uint32_t count = take<uint32_t>(); const void * from = at; at += count; return at <= end ? OSData::withBytes(from, count) : nullptr; }
        case 'n': { uint8_t bits = take<uint8_t>(); uint64_t number = take<uint64_t>(); return OSNumber::withNumber(number, bits); }
        case 't': return kOSBooleanTrue;
        case 'f': return kOSBooleanFalse;
        case 'a': {
            uint32_t count = take<uint32_t>();
            OSArray * array = OSArray::withCapacity(0);
            for (uint32_t index = 0; array && index < count; index++) {
                OSObject * member = value(depth + 1);
                if (member == nullptr) continue;
                array->setObject(member);
                member->release();
            }
            return array;
        }
        case 'd': {
            uint32_t count = take<uint32_t>();
            OSDictionary * dictionary = OSDictionary::withCapacity(0);
            for (uint32_t index = 0; dictionary && index < count; index++) {
                OSObject * key = value(depth + 1);
                OSObject * member = value(depth + 1);
                if (key && member) dictionary->setObject(key, member);
                OSSafeReleaseNULL(key);
                OSSafeReleaseNULL(member);
            }
            return dictionary;
        }
        default: return nullptr;
        }
    }
};
}

/** Four bytes of length, then the value; the host releases it with `drydock_raw_free`. */
DRYDOCK_EXPORT(drydock_value_to_bytes) uint8_t * drydock_value_to_bytes(const OSMetaClassBase * object)
{
    Writer writer;
    writer.put32(0);
    writer.value(object, 0);
    uint32_t length = (uint32_t) writer.length;
    memcpy(writer.bytes, &length, 4);
    return writer.bytes;
}
DRYDOCK_EXPORT(drydock_value_from_bytes) OSObject * drydock_value_from_bytes(const uint8_t * bytes, uint32_t length)
{
    Reader reader{ bytes, bytes + length };
    return reader.value(0);
}

/** Objects of the host's as an array, +1. */
DRYDOCK_EXPORT(drydock_array_of) OSObject * drydock_array_of(OSObject ** members, uint32_t count)
{
    OSArray * made = OSArray::withCapacity(count);
    for (uint32_t index = 0; made != nullptr && index < count; index++) made->setObject(members[index]);
    return made;
}

OSSerializationPtr OSSerialization::createFromObject(OSObjectPtr const object)
{
    if (object == nullptr) return nullptr;
    OSSerialization * made = (OSSerialization *) drydock_allocate_object(&drydockClass.record);
    if (made == nullptr) return nullptr;
    made->drydockBytes = drydock_value_to_bytes(object);
    memcpy(&made->drydockLength, made->drydockBytes, 4);
    return made;
}
OSSerializationPtr OSSerialization::createFromBytes(const void * bytes, size_t length, OSSerializationFreeBufferHandler freeBuffer)
{
    OSSerialization * made = (OSSerialization *) drydock_allocate_object(&drydockClass.record);
    if (made == nullptr) return nullptr;
    made->drydockBytes = (uint8_t *) malloc(length ? length : 1);
    memcpy(made->drydockBytes, bytes, length);
    made->drydockLength = length;
    if (freeBuffer) freeBuffer(bytes, length);
    return made;
}
OSObjectPtr OSSerialization::copyObject() { return drydockLength < 5 ? nullptr : drydock_value_from_bytes(drydockBytes + 4, (uint32_t) drydockLength - 4); }
const void * OSSerialization::finalizeBuffer(size_t * length)
{
    if (length) *length = drydockLength;
    return drydockBytes;
}
void OSSerialization::free()
{
    ::free(drydockBytes);
    super::free();
}
void OSSerialization::freeBuffer(const void *, size_t) {}
