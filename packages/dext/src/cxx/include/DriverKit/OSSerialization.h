// OSSerialization: a value as bytes, and back.
#pragma once
#include <DriverKit/OSContainer.h>

class OSSerialization;
typedef OSSerialization * OSSerializationPtr;
typedef void (^OSSerializationFreeBufferHandler)(const void * buffer, size_t length);
class OSSerialization : public OSObject {
public:
    DRYDOCK_CLASS(OSSerialization)
    using super = OSObject;
    uint8_t * drydockBytes = nullptr;
    size_t drydockLength = 0;
    static OSSerializationPtr createFromBytes(const void * bytes, size_t length, OSSerializationFreeBufferHandler freeBuffer);
    static OSSerializationPtr createFromObject(OSObjectPtr const object);
    OSObjectPtr copyObject();
    const void * finalizeBuffer(size_t * length);
    void free() override;
    static void freeBuffer(const void * buffer, size_t length);
};
extern OSMetaClass * gOSSerializationMetaClass;
