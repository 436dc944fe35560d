// What both drivers share: the codec's bring-up, a ring with a tone in it, the engine, and a way out that halts it first.
// Intel I/O Controller Hub AC '97; Audio Codec '97 2.3.

#include <os/log.h>

#include "P16Driver.h"
#include "P16State.h"

enum { kCommandRegister = 4, kIoSpace = 1, kBusMaster = 4, kInterruptDisable = 0x400, kTypeLevel = 1 };
enum Mixer { kReset = 0x00, kMasterVolume = 0x02, kPcmVolume = 0x18, kExtendedControl = 0x2a, kFrontRate = 0x2c };
enum Bus { kPcmOut = 0x10, kListAddress = kPcmOut, kCurrentIndex = kPcmOut + 4, kLastValid = kPcmOut + 5, kStatus = kPcmOut + 6,
           kControl = kPcmOut + 0xb, kGlobalControl = 0x2c, kGlobalStatus = 0x30 };
enum { kColdResetReleased = 2, kCodecReady = 0x100, kUnity = 0x0808, kVariableRate = 1, kRate = 48000 };
enum { kHalted = 1, kClearable = 0x1c, kRunWithInterrupts = 0x1d, kEngineReset = 2, kPatienceMs = 1000 };

bool P16Driver::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(P16Driver_IVars, 1);
    return ivars != nullptr;
}

/** The mapping ends, then the memory goes: only when the engine has halted. */
static void Release(Prepared & prepared)
{
    if (prepared.command != nullptr) prepared.command->CompleteDMA(kIODMACommandCompleteDMANoOptions);
    OSSafeReleaseNULL(prepared.command);
    OSSafeReleaseNULL(prepared.memory);
    prepared = {};
}

void P16Driver::free()
{
    if (ivars != nullptr) {
        OSSafeReleaseNULL(ivars->queue);
        OSSafeReleaseNULL(ivars->device);
    }
    IOSafeDeleteNULL(ivars, P16Driver_IVars, 1);
    super::free();
}

/** Any memory, an IODMACommand with as many address bits as the hardware has, and room for every segment. */
static kern_return_t Prepare(IOPCIDevice * device, uint64_t bytes, Prepared & prepared)
{
    kern_return_t result = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, bytes, 16384, &prepared.memory);
    if (result != kIOReturnSuccess) return result;
    IODMACommandSpecification specification = {};
    specification.maxAddressBits = 32;
    result = IODMACommand::Create(device, kIODMACommandCreateNoOptions, &specification, &prepared.command);
    if (result != kIOReturnSuccess) return result;
    uint64_t flags = 0;
    prepared.segmentCount = kSegments;
    result = prepared.command->PrepareForDMA(kIODMACommandPrepareForDMANoOptions, prepared.memory, 0, 0, &flags,
                                             &prepared.segmentCount, prepared.segments);
    if (result != kIOReturnSuccess) return result;
    IOAddressSegment range = {};
    result = prepared.memory->GetAddressRange(&range);
    prepared.bytes = reinterpret_cast<uint8_t *>(range.address);
    prepared.length = range.length;
    return result;
}

kern_return_t P16Driver::MakeRing()
{
    kern_return_t result = Prepare(ivars->device, kRingBytes, ivars->ring);
    if (result == kIOReturnSuccess) result = Prepare(ivars->device, kListEntries * kEntryBytes, ivars->list);
    if (result != kIOReturnSuccess) return result;
    // Two ramps that give every slip away: left by 7, right by 13.
    for (uint32_t frame = 0; frame < kToneFrames; frame++) {
        uint8_t * at = ivars->ring.bytes + 4 * frame;
        uint32_t left = (frame * 7) & 0x7fff;
        uint32_t right = (frame * 13) & 0x7fff;
        at[0] = (uint8_t) left;
        at[1] = (uint8_t) (left >> 8);
        at[2] = (uint8_t) right;
        at[3] = (uint8_t) (right >> 8);
    }
    return FillList(ivars->list.bytes);
}

/** Cold reset released, the codec ready, its own reset, volumes at unity, 48 kHz. */
kern_return_t P16Driver::ResetCodec()
{
    ivars->device->MemoryWrite32(ivars->bus, kGlobalControl, kColdResetReleased);
    for (int waited = 0;; waited++) {
        uint32_t status = 0;
        ivars->device->MemoryRead32(ivars->bus, kGlobalStatus, &status);
        if ((status & kCodecReady) != 0) break;
        if (waited >= kPatienceMs) return kIOReturnTimeout;
        IOSleep(1);
    }
    ivars->device->MemoryWrite16(ivars->mixer, kReset, 0);
    ivars->device->MemoryWrite16(ivars->mixer, kMasterVolume, 0);
    ivars->device->MemoryWrite16(ivars->mixer, kPcmVolume, kUnity);
    ivars->device->MemoryWrite16(ivars->mixer, kExtendedControl, kVariableRate);
    ivars->device->MemoryWrite16(ivars->mixer, kFrontRate, kRate);
    return kIOReturnSuccess;
}

/** The line, which is all that this hardware has. */
kern_return_t P16Driver::MakeInterrupt()
{
    kern_return_t result = IODispatchQueue::Create("AudioInterrupt", 0, 0, &ivars->queue);
    if (result == kIOReturnSuccess) result = SetDispatchQueue("AudioInterrupt", ivars->queue);
    uint32_t index = 0;
    uint64_t type = 0;
    while (IOInterruptDispatchSource::GetInterruptType(ivars->device, index, &type) == kIOReturnSuccess && type != kTypeLevel) index++;
    if (result == kIOReturnSuccess) result = IOInterruptDispatchSource::Create(ivars->device, index, ivars->queue, &ivars->interrupt);
    if (result == kIOReturnSuccess) result = CreateActionInterruptOccurred(0, &ivars->occurred);
    if (result == kIOReturnSuccess) result = ivars->interrupt->SetHandler(ivars->occurred);
    if (result == kIOReturnSuccess) result = ivars->interrupt->SetEnable(true);
    return result;
}

kern_return_t P16Driver::StartEngine()
{
    uint8_t control = kEngineReset;
    ivars->device->MemoryWrite8(ivars->bus, kControl, kEngineReset);
    for (int waited = 0; (control & kEngineReset) != 0; waited++) {
        if (waited >= kPatienceMs) return kIOReturnTimeout;
        if (waited > 0) IOSleep(1);
        ivars->device->MemoryRead8(ivars->bus, kControl, &control);
    }
    // The list's own address is the device's, too: it lies in one segment.
    ivars->device->MemoryWrite32(ivars->bus, kListAddress, (uint32_t) ivars->list.segments[0].address);
    ivars->device->MemoryWrite8(ivars->bus, kLastValid, kListEntries - 1);
    ivars->isRunning = true;
    ivars->device->MemoryWrite8(ivars->bus, kControl, kRunWithInterrupts);
    return kIOReturnSuccess;
}

kern_return_t IMPL(P16Driver, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    IOPCIDevice * device = OSDynamicCast(IOPCIDevice, provider);
    if (device == nullptr) return kIOReturnUnsupported;
    result = device->Open(this);
    if (result != kIOReturnSuccess) return result;
    device->retain();
    ivars->device = device;
    uint64_t size = 0;
    uint8_t type = 0;
    result = device->GetBARInfo(0, &ivars->mixer, &size, &type);
    if (result == kIOReturnSuccess) result = device->GetBARInfo(1, &ivars->bus, &size, &type);
    uint16_t command = 0;
    device->ConfigurationRead16(kCommandRegister, &command);
    device->ConfigurationWrite16(kCommandRegister, (command | kIoSpace | kBusMaster) & ~kInterruptDisable);
    if (result == kIOReturnSuccess) result = ResetCodec();
    if (result == kIOReturnSuccess) result = MakeInterrupt();
    if (result == kIOReturnSuccess) result = MakeRing();
    if (result == kIOReturnSuccess) result = StartEngine();
    if (result == kIOReturnSuccess) result = RegisterService();
    return result;
}

/** Acknowledges, and gives the buffers that have been played back to the engine: it goes round for ever. */
void IMPL(P16Driver, InterruptOccurred)
{
    uint16_t status = 0;
    ivars->device->MemoryRead16(ivars->bus, kStatus, &status);
    if (!ivars->isRunning || status == 0xffff || (status & kClearable) == 0) return;
    ivars->device->MemoryWrite16(ivars->bus, kStatus, status & kClearable);
    uint8_t index = 0;
    ivars->device->MemoryRead8(ivars->bus, kCurrentIndex, &index);
    ivars->device->MemoryWrite8(ivars->bus, kLastValid, (uint8_t) ((index + kListEntries - 1) % kListEntries));
}

void P16Driver::StopEngine()
{
    if (!ivars->isRunning) return;
    ivars->isRunning = false;
    ivars->device->MemoryWrite8(ivars->bus, kControl, 0);
    uint16_t status = 0;
    for (int waited = 0; waited < kPatienceMs && (status & kHalted) == 0; waited++) {
        ivars->device->MemoryRead16(ivars->bus, kStatus, &status);
        if ((status & kHalted) == 0) IOSleep(1);
    }
}

void P16Driver::LetGo()
{
    OSSafeReleaseNULL(ivars->occurred);
    OSSafeReleaseNULL(ivars->interrupt);
    Release(ivars->ring);
    Release(ivars->list);
    ivars->device->Close(this);
}

kern_return_t IMPL(P16Driver, Stop)
{
    if (ivars->device == nullptr) return Stop(provider, SUPERDISPATCH);
    // Engine halted, bus master off, read back; then the memory may go.
    StopEngine();
    uint16_t command = 0;
    ivars->device->ConfigurationRead16(kCommandRegister, &command);
    ivars->device->ConfigurationWrite16(kCommandRegister, command & ~kBusMaster);
    ivars->device->ConfigurationRead16(kCommandRegister, &command);
    if (ivars->interrupt == nullptr) {
        LetGo();
        return Stop(provider, SUPERDISPATCH);
    }
    retain();
    provider->retain();
    ivars->interrupt->SetEnable(false);
    return ivars->interrupt->Cancel(^{
        LetGo();
        Stop(provider, SUPERDISPATCH);
        provider->release();
        release();
    });
}
