// Objects, classes and dispatch of a dext on WebAssembly: what generated headers stand on.
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <drydock/base.h>

class OSMetaClassBase;
class OSMetaClass;
class OSObject;
class OSAction;
class IODispatchQueue;
struct IORPC;

typedef kern_return_t (*OSDispatchMethod)(OSMetaClassBase * self, const IORPC rpc);

/** One method that a class introduces or overrides; `thunk` calls this class's implementation, not the most derived one. */
struct DrydockMethod {
    uint64_t id;
    const char * name;
    const char * callback;
    const char * queue;
    void * thunk;
};

/** What the host reads of a class: plain memory, in this order. */
struct DrydockRecord {
    const char * name;
    const DrydockRecord * superRecord;
    size_t size;
    OSMetaClassBase * (*make)(void * at);
    const DrydockMethod * methods;
    size_t methodCount;
    DrydockRecord * next;
    OSMetaClass * metaClass;
};

class OSMetaClassBase {
public:
    mutable int32_t drydockCount = 0;
    uint32_t drydockMagic = 0;

    inline void * operator new(size_t, void * placed) { return placed; }
    inline void operator delete(void *) {}

    static OSMetaClassBase * safeMetaCast(const OSMetaClassBase * anObject, const OSMetaClass * toMeta);
    static OSMetaClassBase * requiredMetaCast(const OSMetaClassBase * anObject, const OSMetaClass * toMeta);
    const OSMetaClass * GetClass() const { return getMetaClass(); }
    const char * GetClassName() const;
    bool IsRemote() const { return false; }
    uint32_t getRetainCount() const { return (uint32_t) drydockCount; }
    virtual const OSMetaClass * getMetaClass() const = 0;
    virtual void retain() const;
    virtual void release() const;
    virtual bool isEqualTo(const OSMetaClassBase * anObject) const;
};

class OSMetaClass : public OSMetaClassBase {
public:
    DrydockRecord record;
    constexpr OSMetaClass(const char * name, const DrydockRecord * superRecord, size_t size, OSMetaClassBase * (*make)(void *),
                          const DrydockMethod * methods, size_t methodCount)
        : record{ name, superRecord, size, make, methods, methodCount, nullptr, nullptr } {}
    const OSMetaClass * getMetaClass() const override { return this; }
    void retain() const override {}
    void release() const override {}
    const char * getClassName() const { return record.name; }
};

/** Puts a class into the list that the host reads. */
struct DrydockRegistration {
    explicit DrydockRegistration(OSMetaClass & metaClass);
};

inline const char * OSMetaClassBase::GetClassName() const { return getMetaClass()->record.name; }

#define DRYDOCK_CLASS(Name)                \
    static OSMetaClass drydockClass;       \
    const OSMetaClass * getMetaClass() const override;

#define DRYDOCK_DEFINE_CLASS(Name, Super, methodList)                                                             \
    static OSMetaClassBase * Name##_drydockMake(void * at) { return new (at) Name; }                               \
    OSMetaClass Name::drydockClass(#Name, &Super::drydockClass.record, sizeof(Name), Name##_drydockMake,           \
                                   methodList, sizeof(methodList) / sizeof(methodList[0]));                        \
    OSMetaClass * g##Name##MetaClass = &Name::drydockClass;                                                        \
    const OSMetaClass * Name::getMetaClass() const { return &drydockClass; }                                       \
    static DrydockRegistration Name##_drydockRegistration(Name::drydockClass);

extern "C" {
void drydock_bad_receiver(const void * object, const char * call) __attribute__((noinline));
void * drydock_super(uint64_t id, OSDispatchMethod tag);
kern_return_t drydock_create_action(OSObject * target, uint64_t targetMethodId, uint64_t callbackId, size_t referenceSize,
                                    const char * typeName, OSAction ** action);
}

enum : uint32_t { drydockAlive = 0x0b1ec7ed, drydockDead = 0xdeadc0de };

#define DRYDOCK_RECEIVER(object, call)                                                                 \
    do {                                                                                               \
        const OSMetaClassBase * drydockReceiver = (object);                                            \
        if (drydockReceiver == nullptr || drydockReceiver->drydockMagic != drydockAlive)               \
            drydock_bad_receiver(drydockReceiver, call);                                               \
    } while (0)

/** The implementation that the class behind `tag` has of a method, as a function of type `Signature`. */
#define DRYDOCK_SUPER(id, tag, ...) ((__VA_ARGS__) drydock_super((id), (tag)))

#define SUPERDISPATCH ((OSDispatchMethod) (void *) &super::drydockClass)
#define DEFN(classname, name) name##_Impl(classname##_##name##_Args)
#define IMPL(classname, name) classname::DEFN(classname, name)

#define OSTypeID(type) (g##type##MetaClass)
#define OSTypeIDInst(inst) ((inst)->GetClass())
#define OSDynamicCast(type, inst) ((type *) OSMetaClassBase::safeMetaCast((inst), OSTypeID(type)))
#define OSRequiredCast(type, inst) ((type *) OSMetaClassBase::requiredMetaCast((inst), OSTypeID(type)))
#define OSTypeAlloc(type) ((type *) drydock_allocate_object(&OSTypeID(type)->record))
#define APPLE_KEXT_OVERRIDE override

extern "C" OSObject * drydock_allocate_object(const DrydockRecord * record);

class OSObject : public OSMetaClassBase {
public:
    DRYDOCK_CLASS(OSObject)
    using super = OSMetaClassBase;
    virtual bool init();
    virtual void free();
};
extern OSMetaClass * gOSObjectMetaClass;
typedef OSObject * OSObjectPtr;

kern_return_t OSObjectAllocate(OSMetaClass * meta, OSObject ** object);

#define OSSafeReleaseNULL(inst) do { if ((inst) != NULL) (inst)->release(); (inst) = NULL; } while (0)
#define OSSafeRelease(inst) do { if ((inst) != NULL) (inst)->release(); } while (0)
template <typename T> inline void OSObjectSafeReleaseNULL(T *& object) { OSSafeReleaseNULL(object); }
