// Objects and classes: creation, counts, casts, the way to a superclass's implementation.
#include "host.h"
#include "shadow.h"
#include <DriverKit/OSContainer.h>

static DrydockRecord * firstRecord = nullptr;
/** Of virtual functions, count and mark. */
static const size_t headBytes = 16;
/** Behind an object when the shadow watches it. */
static const size_t shadowTailBytes = 64;
/** Objects that have been freed lately, the oldest first: who still holds their address is told by their mark. */
static const size_t deadMost = 4096;
static OSObject * dead[deadMost];
static size_t deadCount = 0;

extern "C" { uint32_t drydock_traces_counts = 0; }

DrydockRegistration::DrydockRegistration(OSMetaClass & metaClass)
{
    metaClass.drydockMagic = drydockAlive;
    metaClass.record.metaClass = &metaClass;
    metaClass.record.next = firstRecord;
    firstRecord = &metaClass.record;
}

DRYDOCK_EXPORT(drydock_records) DrydockRecord * drydock_records() { return firstRecord; }
DRYDOCK_EXPORT(drydock_trace_counts) void drydock_trace_counts(uint32_t on) { drydock_traces_counts = on; }
DRYDOCK_EXPORT(drydock_retain) void drydock_retain(OSMetaClassBase * object) { object->retain(); }
DRYDOCK_EXPORT(drydock_release) void drydock_release(OSMetaClassBase * object) { object->release(); }
DRYDOCK_EXPORT(drydock_init) uint32_t drydock_init(OSObject * object) { return object->init(); }
DRYDOCK_EXPORT(drydock_record_of) const DrydockRecord * drydock_record_of(OSMetaClassBase * object) { return &object->getMetaClass()->record; }
DRYDOCK_EXPORT(drydock_is_alive) uint32_t drydock_is_alive(const OSMetaClassBase * object) { return object->drydockMagic == drydockAlive; }

DRYDOCK_EXPORT(drydock_allocate_object) OSObject * drydock_allocate_object(const DrydockRecord * record)
{
    void * at = calloc(1, record->size + (drydock_has_shadow ? shadowTailBytes : 0));
    if (at == nullptr) return nullptr;
    drydockAllow(at, record->size);
    drydockForbid((uint8_t *) at + record->size, shadowTailBytes, drydockShadowBeside);
    OSMetaClassBase * made = record->make(at);
    made->drydockCount = 1;
    made->drydockMagic = drydockAlive;
    drydock_host_created(made, record);
    return static_cast<OSObject *>(made);
}

kern_return_t OSObjectAllocate(OSMetaClass * meta, OSObject ** object)
{
    *object = drydock_allocate_object(&meta->record);
    return *object == nullptr ? kIOReturnNoMemory : kIOReturnSuccess;
}

extern "C" void drydock_bad_receiver(const void * object, const char * call)
{
    const OSMetaClassBase * it = (const OSMetaClassBase *) object;
    drydock_host_trouble(it == nullptr                     ? drydockNullReceiver
                         : it->drydockMagic == drydockDead ? drydockDeadReceiver
                                                           : drydockNotAnObject,
                         object, call, 0);
}

extern "C" void * drydock_super(uint64_t id, OSDispatchMethod tag)
{
    const OSMetaClass * from = (const OSMetaClass *) (void *) tag;
    for (const DrydockRecord * record = &from->record; record != nullptr; record = record->superRecord)
        for (size_t index = 0; index < record->methodCount; index++)
            if (record->methods[index].id == id) return record->methods[index].thunk;
    drydock_host_trouble(drydockMissingSuper, from, from->record.name, 0);
}

extern "C" kern_return_t drydock_create_action(OSObject * target, uint64_t targetMethodId, uint64_t callbackId, size_t referenceSize,
                                               const char * typeName, OSAction ** action)
{
    return drydock_host_create_action(target, targetMethodId, callbackId, referenceSize, typeName, action);
}

void OSMetaClassBase::retain() const
{
    DRYDOCK_RECEIVER(this, "OSObject::retain");
    drydockCount++;
    if (drydock_traces_counts) drydock_host_counted(this, drydockCount);
}

void OSMetaClassBase::release() const
{
    DRYDOCK_RECEIVER(this, "OSObject::release");
    if (drydockCount <= 0) drydock_host_trouble(drydockOverRelease, this, GetClassName(), 0);
    drydockCount--;
    if (drydock_traces_counts) drydock_host_counted(this, drydockCount);
    if (drydockCount == 0) static_cast<OSObject *>(const_cast<OSMetaClassBase *>(this))->free();
}

bool OSMetaClassBase::isEqualTo(const OSMetaClassBase * anObject) const { return this == anObject; }

OSMetaClassBase * OSMetaClassBase::safeMetaCast(const OSMetaClassBase * anObject, const OSMetaClass * toMeta)
{
    if (anObject == nullptr) return nullptr;
    DRYDOCK_RECEIVER(anObject, "OSDynamicCast");
    for (const DrydockRecord * record = &anObject->getMetaClass()->record; record != nullptr; record = record->superRecord)
        if (record == &toMeta->record) return const_cast<OSMetaClassBase *>(anObject);
    return nullptr;
}

OSMetaClassBase * OSMetaClassBase::requiredMetaCast(const OSMetaClassBase * anObject, const OSMetaClass * toMeta)
{
    if (anObject == nullptr) return nullptr;
    OSMetaClassBase * cast = safeMetaCast(anObject, toMeta);
    if (cast == nullptr) drydock_host_trouble(drydockBadCast, anObject, toMeta->record.name, 0);
    return cast;
}

static OSMetaClassBase * makeObject(void * at) { return new (at) OSObject; }
OSMetaClass OSObject::drydockClass("OSObject", nullptr, sizeof(OSObject), makeObject, nullptr, 0);
OSMetaClass * gOSObjectMetaClass = &OSObject::drydockClass;
const OSMetaClass * OSObject::getMetaClass() const { return &drydockClass; }
static DrydockRegistration objectRegistration(OSObject::drydockClass);

bool OSObject::init() { return true; }

/** The memory stays for a while: who still holds the address is told by its mark. */
void OSObject::free()
{
    DRYDOCK_RECEIVER(this, "OSObject::free");
    size_t size = getMetaClass()->record.size;
    drydock_host_freed(this);
    drydockMagic = drydockDead;
    // Its first words are what a late call looks at.
    if (size > headBytes) drydockForbid((uint8_t *) this + headBytes, size - headBytes, drydockShadowDead);
    OSObject *& place = dead[deadCount++ % deadMost];
    if (place != nullptr) {
        drydockAllow(place, place->getMetaClass()->record.size + shadowTailBytes);
        ::free(place);
    }
    place = this;
}

extern "C" void __cxa_pure_virtual() { drydock_host_trouble(drydockPureVirtual, nullptr, "a method without a body", 0); }
