// OSSharedPtr: a pointer that releases what it holds.
#pragma once
#include <drydock/class.h>

struct OSNoRetainTag {};
struct OSRetainTag {};
static constexpr OSNoRetainTag OSNoRetain{};
static constexpr OSRetainTag OSRetain{};

template <typename T> class OSSharedPtr {
public:
    constexpr OSSharedPtr() = default;
    constexpr OSSharedPtr(decltype(nullptr)) {}
    OSSharedPtr(T * object, OSNoRetainTag) : pointer(object) {}
    OSSharedPtr(T * object, OSRetainTag) : pointer(object) { if (pointer) pointer->retain(); }
    OSSharedPtr(const OSSharedPtr & other) : pointer(other.get()) { if (pointer) pointer->retain(); }
    template <typename U> OSSharedPtr(const OSSharedPtr<U> & other) : pointer(other.get()) { if (pointer) pointer->retain(); }
    OSSharedPtr(OSSharedPtr && other) : pointer(other.detach()) {}
    template <typename U> OSSharedPtr(OSSharedPtr<U> && other) : pointer(other.detach()) {}
    ~OSSharedPtr() { if (pointer) pointer->release(); }
    OSSharedPtr & operator=(const OSSharedPtr & other) { OSSharedPtr(other).swap(*this); return *this; }
    OSSharedPtr & operator=(OSSharedPtr && other) { OSSharedPtr(static_cast<OSSharedPtr &&>(other)).swap(*this); return *this; }
    template <typename U> OSSharedPtr & operator=(const OSSharedPtr<U> & other) { OSSharedPtr(other).swap(*this); return *this; }
    template <typename U> OSSharedPtr & operator=(OSSharedPtr<U> && other) { OSSharedPtr(static_cast<OSSharedPtr<U> &&>(other)).swap(*this); return *this; }
    OSSharedPtr & operator=(decltype(nullptr)) { reset(); return *this; }
    void reset() { OSSharedPtr().swap(*this); }
    void reset(T * object, OSNoRetainTag tag) { OSSharedPtr(object, tag).swap(*this); }
    void reset(T * object, OSRetainTag tag) { OSSharedPtr(object, tag).swap(*this); }
    void swap(OSSharedPtr & other) { T * mine = pointer; pointer = other.pointer; other.pointer = mine; }
    T * get() const { return pointer; }
    T & operator*() const { return *pointer; }
    T * operator->() const { return pointer; }
    explicit operator bool() const { return pointer != nullptr; }
    T * detach() { T * mine = pointer; pointer = nullptr; return mine; }
    T ** attach() { reset(); return &pointer; }
private:
    T * pointer = nullptr;
};

template <typename T, typename U> bool operator==(const OSSharedPtr<T> & a, const OSSharedPtr<U> & b) { return a.get() == b.get(); }
template <typename T, typename U> bool operator==(const OSSharedPtr<T> & a, U * b) { return a.get() == b; }
template <typename T, typename U> bool operator!=(const OSSharedPtr<T> & a, const OSSharedPtr<U> & b) { return a.get() != b.get(); }
template <typename T, typename U> bool operator!=(const OSSharedPtr<T> & a, U * b) { return a.get() != b; }
template <typename T> OSSharedPtr<T> OSMakeShared() { return OSSharedPtr<T>((T *) drydock_allocate_object(&T::drydockClass.record), OSNoRetain); }
template <typename T, typename U> OSSharedPtr<T> OSDynamicPtrCast(const OSSharedPtr<U> & from)
{
    return OSSharedPtr<T>((T *) OSMetaClassBase::safeMetaCast(from.get(), &T::drydockClass), OSRetain);
}
