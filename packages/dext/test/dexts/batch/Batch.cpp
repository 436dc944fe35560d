// Three transfers out, four in, over rings of four buffers; then eight frames each way on the isochronous setting.
#include <os/log.h>

#include <DriverKit/DriverKit.h>
#include <USBDriverKit/USBDriverKit.h>

#include "Batch.h"

enum { kRing = 4, kBufferBytes = 64, kFrames = 8, kFrameBytes = 16 };

struct Batch_IVars
{
    IOUSBHostInterface * interface;
    IOUSBHostPipe * out;
    IOUSBHostPipe * in;
    IOBufferMemoryDescriptor * outBuffers[kRing];
    IOBufferMemoryDescriptor * inBuffers[kRing];
    IOUSBHostPipe * frameOut;
    IOUSBHostPipe * frameIn;
    IOBufferMemoryDescriptor * data[2];
    IOBufferMemoryDescriptor * frames[2];
    OSAction * bundled;
    OSAction * framed[2];
    uint32_t ended;
    uint32_t framesEnded;
};

static uint8_t * BytesOf(IOBufferMemoryDescriptor * memory)
{
    IOAddressSegment range = {};
    memory->GetAddressRange(&range);
    return (uint8_t *) range.address;
}

bool Batch::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(Batch_IVars, 1);
    return ivars != nullptr;
}

void Batch::free()
{
    if (ivars != nullptr) {
        for (int index = 0; index < kRing; index++) {
            OSSafeReleaseNULL(ivars->outBuffers[index]);
            OSSafeReleaseNULL(ivars->inBuffers[index]);
        }
        for (int side = 0; side < 2; side++) {
            OSSafeReleaseNULL(ivars->data[side]);
            OSSafeReleaseNULL(ivars->frames[side]);
            OSSafeReleaseNULL(ivars->framed[side]);
        }
        OSSafeReleaseNULL(ivars->bundled);
        OSSafeReleaseNULL(ivars->out);
        OSSafeReleaseNULL(ivars->in);
        OSSafeReleaseNULL(ivars->frameOut);
        OSSafeReleaseNULL(ivars->frameIn);
        OSSafeReleaseNULL(ivars->interface);
    }
    IOSafeDeleteNULL(ivars, Batch_IVars, 1);
    super::free();
}

kern_return_t Batch::MakeRing(uint8_t address, IOUSBHostPipe ** pipe, IOBufferMemoryDescriptor ** buffers, uint64_t direction)
{
    kern_return_t result = ivars->interface->CopyPipe(address, pipe);
    if (result != kIOReturnSuccess) return result;
    result = (*pipe)->CreateMemoryDescriptorRing(kRing);
    for (uint32_t index = 0; index < kRing && result == kIOReturnSuccess; index++) {
        result = ivars->interface->CreateIOBuffer((IOOptionBits) direction, kBufferBytes, &buffers[index]);
        if (result == kIOReturnSuccess) result = (*pipe)->SetMemoryDescriptor(buffers[index], index);
    }
    return result;
}

kern_return_t IMPL(Batch, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    if (ivars->interface == nullptr) return kIOReturnUnsupported;
    ivars->interface->retain();
    result = ivars->interface->Open(this, 0, nullptr);
    if (result == kIOReturnSuccess) result = MakeRing(0x01, &ivars->out, ivars->outBuffers, kIOMemoryDirectionOut);
    if (result == kIOReturnSuccess) result = MakeRing(0x81, &ivars->in, ivars->inBuffers, kIOMemoryDirectionIn);
    if (result == kIOReturnSuccess) result = CreateActionBundled(0, &ivars->bundled);
    if (result != kIOReturnSuccess) return result;
    uint32_t lengths[16] = { 16, 32, 48 };
    for (uint32_t index = 0; index < 3; index++) memset(BytesOf(ivars->outBuffers[index]), 'a' + (int) index, lengths[index]);
    uint32_t accepted = 0;
    result = ivars->out->AsyncIOBundled(0, 3, &accepted, lengths, 16, ivars->bundled, 0);
    os_log(OS_LOG_DEFAULT, "out: %x, %u accepted", result, accepted);
    uint32_t room[16] = { kBufferBytes, kBufferBytes, kBufferBytes, kBufferBytes };
    // From the second entry, round the end of the ring.
    result = ivars->in->AsyncIOBundled(1, 4, &accepted, room, 16, ivars->bundled, 0);
    os_log(OS_LOG_DEFAULT, "in: %x, %u accepted", result, accepted);
    result = ivars->in->AsyncIOBundled(1, 1, &accepted, room, 16, ivars->bundled, 0);
    os_log(OS_LOG_DEFAULT, "busy: %x, %u accepted", result, accepted);
    return RegisterService();
}

void IMPL(Batch, Bundled)
{
    for (uint32_t index = 0; index < ioCompletionCount; index++)
        os_log(OS_LOG_DEFAULT, "entry %u: %x, %u bytes", ioCompletionIndex + index, statusArray[index], actualByteCountArray[index]);
    ivars->ended += ioCompletionCount;
    if (ivars->ended != 6) return;
    os_log(OS_LOG_DEFAULT, "first byte back: %c", BytesOf(ivars->inBuffers[1])[0]);
    kern_return_t result = BeginFrames();
    os_log(OS_LOG_DEFAULT, "frames: %x", result);
}

kern_return_t Batch::BeginFrames()
{
    kern_return_t result = ivars->in->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
    if (result == kIOReturnSuccess) result = ivars->interface->SelectAlternateSetting(2);
    if (result == kIOReturnSuccess) result = ivars->interface->CopyPipe(0x04, &ivars->frameOut);
    if (result == kIOReturnSuccess) result = ivars->interface->CopyPipe(0x84, &ivars->frameIn);
    for (int side = 0; side < 2 && result == kIOReturnSuccess; side++) {
        result = CreateActionFramed(sizeof(uint32_t), &ivars->framed[side]);
        if (result != kIOReturnSuccess) return result;
        *(uint32_t *) ivars->framed[side]->GetReference() = (uint32_t) side;
        result = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, kFrames * kFrameBytes, 0, &ivars->data[side]);
        if (result == kIOReturnSuccess)
            result = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, kFrames * sizeof(IOUSBIsochronousFrame), 0, &ivars->frames[side]);
        if (result != kIOReturnSuccess) return result;
        IOUSBIsochronousFrame * frames = (IOUSBIsochronousFrame *) BytesOf(ivars->frames[side]);
        for (int index = 0; index < kFrames; index++) frames[index] = { .status = kIOReturnInvalid, .requestCount = kFrameBytes };
        memset(BytesOf(ivars->data[side]), side == 0 ? 'f' : 0, kFrames * kFrameBytes);
        IOUSBHostPipe * pipe = side == 0 ? ivars->frameOut : ivars->frameIn;
        result = pipe->IsochIO(ivars->data[side], ivars->frames[side], 0, ivars->framed[side]);
    }
    return result;
}

void IMPL(Batch, Framed)
{
    uint32_t side = *(uint32_t *) action->GetReference();
    const IOUSBIsochronousFrame * frames = (const IOUSBIsochronousFrame *) BytesOf(ivars->frames[side]);
    uint32_t bytes = 0;
    uint32_t good = 0;
    for (int index = 0; index < kFrames; index++) {
        bytes += frames[index].completeCount;
        good += frames[index].status == kIOReturnSuccess && frames[index].timeStamp > 0 ? 1 : 0;
    }
    os_log(OS_LOG_DEFAULT, "%{public}s: %x, %u of %d frames good, %u bytes", side == 0 ? "frames out" : "frames in", status, good, kFrames, bytes);
}

kern_return_t IMPL(Batch, Stop)
{
    IOUSBHostPipe * pipes[] = { ivars->out, ivars->in, ivars->frameOut, ivars->frameIn };
    for (IOUSBHostPipe * pipe : pipes)
        if (pipe != nullptr) pipe->Abort(kIOUSBAbortSynchronous, kIOReturnAborted, this);
    OSAction * actions[] = { ivars->bundled, ivars->framed[0], ivars->framed[1] };
    __block int left = 1;
    for (OSAction * each : actions) left += each != nullptr ? 1 : 0;
    retain();
    provider->retain();
    void (^finish)(void) = ^{
        if (--left > 0) return;
        ivars->interface->Close(this, 0);
        Stop(provider, SUPERDISPATCH);
        provider->release();
        release();
    };
    for (OSAction * each : actions)
        if (each != nullptr) each->Cancel(finish);
    finish();
    return kIOReturnSuccess;
}
