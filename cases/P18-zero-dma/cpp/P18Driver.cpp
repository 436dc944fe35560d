// What both drivers share: bring-up, tasks into the request ring, replies out of the other, and the way out.

#include <os/log.h>
#include <string.h>

#include "P18Driver.h"
#include "P18State.h"

enum { kCommandRegister = 4, kMemorySpace = 2, kBusMaster = 4, kInterruptDisable = 0x400 };
enum AdapterRegister {
    kIdentityRegister = 0x00, kControl = 0x04, kState = 0x08, kTargets = 0x0c, kRequestsLow = 0x10, kRepliesLow = 0x18,
    kEntriesRegister = 0x20, kProducer = 0x24, kConsumer = 0x28,
};
enum { kIdentity = 0x41424852, kEnable = 1, kReset = 2, kReady = 2, kReadyTimeoutMs = 5000 };
enum { kMaximumTransfer = 1 << 20, kEntryAt = 32 };
/** How a request ended: the two that have an answer of the unit's. */
enum { kReplyGood = 0, kReplyScsi = 1 };

bool P18Driver::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(P18Driver_IVars, 1);
    return ivars != nullptr;
}

/** The mapping ends, then the memory goes. */
static void Release(Shared & shared)
{
    if (shared.command != nullptr) shared.command->CompleteDMA(kIODMACommandCompleteDMANoOptions);
    OSSafeReleaseNULL(shared.command);
    OSSafeReleaseNULL(shared.memory);
    shared = {};
}

void P18Driver::free()
{
    if (ivars != nullptr) {
        OSSafeReleaseNULL(ivars->view);
        OSSafeReleaseNULL(ivars->interruptQueue);
        OSSafeReleaseNULL(ivars->auxiliaryQueue);
        OSSafeReleaseNULL(ivars->device);
    }
    IOSafeDeleteNULL(ivars, P18Driver_IVars, 1);
    super::free();
}

// Registers: through the kernel, and only while the gate is open.

uint32_t P18Driver::Read(uint64_t offset)
{
    uint32_t value = 0xffffffff;
    if (ivars->isGateOpen) ivars->device->MemoryRead32(0, offset, &value, kIOPCIAccessLatencyTolerantHint);
    return value;
}

void P18Driver::Write(uint64_t offset, uint32_t value)
{
    if (ivars->isGateOpen) ivars->device->MemoryWrite32(0, offset, value);
}

void P18Driver::WriteAddress(uint64_t offset, uint64_t address)
{
    Write(offset, (uint32_t) address);
    Write(offset + 4, (uint32_t) (address >> 32));
}

// Bring-up.

kern_return_t IMPL(P18Driver, Start)
{
    IOPCIDevice * device = OSDynamicCast(IOPCIDevice, provider);
    if (device == nullptr) return kIOReturnUnsupported;
    kern_return_t result = device->Open(this);
    if (result != kIOReturnSuccess) return result;
    device->retain();
    ivars->device = device;
    // Both queues are there before the superclass starts.
    result = IODispatchQueue::Create("InterruptQueue", 0, 0, &ivars->interruptQueue);
    if (result == kIOReturnSuccess) result = SetDispatchQueue("InterruptQueue", ivars->interruptQueue);
    if (result == kIOReturnSuccess) result = IODispatchQueue::Create("AuxiliaryQueue", 0, 0, &ivars->auxiliaryQueue);
    if (result == kIOReturnSuccess) result = SetDispatchQueue("AuxiliaryQueue", ivars->auxiliaryQueue);
    return result == kIOReturnSuccess ? Start(provider, SUPERDISPATCH) : result;
}

static kern_return_t Make(IOPCIDevice * device, uint64_t bytes, Shared & shared)
{
    bytes = (bytes + 4095) & ~4095ull;
    kern_return_t result = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, bytes, 4096, &shared.memory);
    if (result != kIOReturnSuccess) return result;
    IODMACommandSpecification specification = {};
    specification.maxAddressBits = 64;
    result = IODMACommand::Create(device, kIODMACommandCreateNoOptions, &specification, &shared.command);
    if (result != kIOReturnSuccess) return result;
    uint64_t flags = 0;
    uint32_t segments = 32;
    IOAddressSegment segment[32] = {};
    result = shared.command->PrepareForDMA(kIODMACommandPrepareForDMANoOptions, shared.memory, 0, 0, &flags, &segments, segment);
    if (result != kIOReturnSuccess) return result;
    if (segments != 1) return kIOReturnNoSpace;
    IOAddressSegment range = {};
    result = shared.memory->GetAddressRange(&range);
    shared.bytes = reinterpret_cast<uint8_t *>(range.address);
    shared.address = segment[0].address;
    return result;
}

kern_return_t P18Driver::MakeRings()
{
    kern_return_t result = Make(ivars->device, kEntries * kRequestBytes, ivars->requests);
    if (result == kIOReturnSuccess) result = Make(ivars->device, kEntries * kReplyBytes, ivars->replies);
    if (result == kIOReturnSuccess) result = Make(ivars->device, kTasks * kSenseBytes, ivars->senses);
    return result;
}

kern_return_t P18Driver::MakeInterrupt()
{
    uint32_t index = 0;
    uint64_t type = 0;
    while (IOInterruptDispatchSource::GetInterruptType(ivars->device, index, &type) == kIOReturnSuccess
           && (type & kIOInterruptTypePCIMessagedX) == 0)
        index++;
    kern_return_t result = IOInterruptDispatchSource::Create(ivars->device, index, ivars->interruptQueue, &ivars->interrupt);
    if (result == kIOReturnSuccess) result = CreateActionInterruptOccurred(0, &ivars->occurred);
    if (result == kIOReturnSuccess) result = ivars->interrupt->SetHandler(ivars->occurred);
    if (result == kIOReturnSuccess) result = ivars->interrupt->SetEnable(true);
    return result;
}

/** Reset, the rings from their beginnings, enable, and a wait for the firmware. */
kern_return_t P18Driver::Enable()
{
    Write(kControl, kReset);
    ivars->phase = 1;
    WriteAddress(kRequestsLow, ivars->requests.address);
    WriteAddress(kRepliesLow, ivars->replies.address);
    Write(kEntriesRegister, kEntries);
    Write(kControl, kEnable);
    for (int waited = 0; Read(kState) != kReady; waited++) {
        if (waited >= kReadyTimeoutMs) return kIOReturnTimeout;
        IOSleep(1);
    }
    ivars->targets = Read(kTargets);
    return kIOReturnSuccess;
}

/** One segment of any address, four bytes aligned. */
kern_return_t P18Driver::ReportConstraints()
{
    static const struct { const char * key; uint64_t value; } rows[] = {
        { kIOMaximumSegmentCountReadKey, 1 },
        { kIOMaximumSegmentCountWriteKey, 1 },
        { kIOMaximumSegmentByteCountReadKey, kMaximumTransfer },
        { kIOMaximumSegmentByteCountWriteKey, kMaximumTransfer },
        { kIOMinimumSegmentAlignmentByteCountKey, 4 },
        { kIOMaximumSegmentAddressableBitCountKey, 64 },
        { kIOMinimumHBADataAlignmentMaskKey, 0xfffffffc },
    };
    OSDictionary * constraints = OSDictionary::withCapacity(7);
    if (constraints == nullptr) return kIOReturnNoMemory;
    for (const auto & row : rows) OSDictionarySetUInt64Value(constraints, row.key, row.value);
    kern_return_t result = UserReportHBAConstraints(constraints);
    constraints->release();
    return result;
}

kern_return_t IMPL(P18Driver, UserInitializeController)
{
    uint16_t command = 0;
    ivars->device->ConfigurationRead16(kCommandRegister, &command);
    ivars->device->ConfigurationWrite16(kCommandRegister, command | kMemorySpace | kBusMaster);
    ivars->isGateOpen = true;
    if (Read(kIdentityRegister) != kIdentity) return kIOReturnUnsupported;
    kern_return_t result = ivars->device->ConfigureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
    if (result == kIOReturnSuccess) result = MakeRings();
    if (result == kIOReturnSuccess) result = MakeInterrupt();
    if (result == kIOReturnSuccess) result = Enable();
    if (result == kIOReturnSuccess) result = ReportConstraints();
    return result;
}

// Tasks.

static void Put(uint8_t * at, uint64_t value, int bytes)
{
    for (int index = 0; index < bytes; index++) at[index] = (uint8_t) (value >> (8 * index));
}

static uint64_t Get(const uint8_t * at, int bytes)
{
    uint64_t value = 0;
    for (int index = bytes - 1; index >= 0; index--) value = value << 8 | at[index];
    return value;
}

kern_return_t IMPL(P18Driver, UserProcessParallelTask)
{
    uint64_t index = parallelRequest.fControllerTaskIdentifier - 1;
    *response = kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
    if (!ivars->isGateOpen || index >= kTasks || ivars->slots[index].isBusy) return kIOReturnSuccess;
    Handed(parallelRequest);
    Slot & slot = ivars->slots[index];
    slot.isBusy = true;
    slot.generation++;
    slot.targetId = parallelRequest.fTargetID;
    completion->retain();
    slot.completion = completion;
    uint8_t * request = ivars->requests.bytes + ivars->producer * kRequestBytes;
    memset(request, 0, kRequestBytes);
    Put(request, index + slot.generation * kEntries, 2);
    request[2] = (uint8_t) parallelRequest.fTargetID;
    request[3] = parallelRequest.fLogicalUnitBytes[1];
    request[4] = parallelRequest.fCommandSize;
    Put(request + 8, ivars->senses.address + index * kSenseBytes, 8);
    memcpy(request + 16, parallelRequest.fCommandDescriptorBlock, sizeof parallelRequest.fCommandDescriptorBlock);
    FillEntry(request + kEntryAt, parallelRequest.fBufferIOVMAddr, (uint32_t) parallelRequest.fRequestedTransferCount);
    ivars->producer = (ivars->producer + 1) % kEntries;
    Write(kProducer, ivars->producer);
    *response = kSCSIServiceResponse_Request_In_Process;
    return kIOReturnSuccess;
}

/** Every reply whose phase says that it is there. */
void IMPL(P18Driver, InterruptOccurred)
{
    if (!ivars->isGateOpen) return;
    for (int budget = kEntries; budget > 0; budget--) {
        const uint8_t * reply = ivars->replies.bytes + ivars->consumer * kReplyBytes;
        if ((reply[15] & 1) != ivars->phase) break;
        ivars->consumer = (ivars->consumer + 1) % kEntries;
        if (ivars->consumer == 0) ivars->phase ^= 1;
        Replied(reply);
    }
    Write(kConsumer, ivars->consumer);
}

void P18Driver::Replied(const uint8_t * reply)
{
    uint32_t tag = (uint32_t) Get(reply, 2);
    uint32_t index = tag % kEntries;
    if (index >= kTasks || !ivars->slots[index].isBusy || ivars->slots[index].generation != tag / kEntries) {
        os_log(OS_LOG_DEFAULT, "adapter: a reply for tag 0x%x, which is not under way", tag);
        return;
    }
    Slot & slot = ivars->slots[index];
    bool isAnswer = reply[2] == kReplyGood || reply[2] == kReplyScsi;
    SCSIUserParallelResponse response = {};
    response.version = kScsiUserParallelTaskResponseCurrentVersion1;
    response.fTargetID = slot.targetId;
    response.fControllerTaskIdentifier = index + 1;
    response.fServiceResponse = isAnswer ? kSCSIServiceResponse_TASK_COMPLETE : kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
    response.fCompletionStatus = isAnswer ? (SCSITaskStatus) reply[3] : kSCSITaskStatus_GOOD;
    response.fBytesTransferred = isAnswer ? Get(reply + 4, 4) : 0;
    response.fSenseLength = reply[8] < kSenseBytes ? reply[8] : kSenseBytes;
    memcpy(response.fSenseBuffer, ivars->senses.bytes + index * kSenseBytes, response.fSenseLength);
    Completed(response);
    OSAction * completion = slot.completion;
    slot.isBusy = false;
    slot.completion = nullptr;
    ParallelTaskCompletion(completion, response);
    completion->release();
}

// The way out.

/** From software's own state: the hardware reaches nothing any more. */
void P18Driver::EndAll()
{
    for (uint32_t index = 0; index < kTasks; index++) {
        Slot & slot = ivars->slots[index];
        if (!slot.isBusy) continue;
        SCSIUserParallelResponse response = {};
        response.version = kScsiUserParallelTaskResponseCurrentVersion1;
        response.fTargetID = slot.targetId;
        response.fControllerTaskIdentifier = index + 1;
        response.fServiceResponse = kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
        response.fCompletionStatus = kSCSITaskStatus_DeviceNotPresent;
        slot.isBusy = false;
        ParallelTaskCompletion(slot.completion, response);
        OSSafeReleaseNULL(slot.completion);
    }
}

kern_return_t IMPL(P18Driver, Stop)
{
    if (ivars->device == nullptr) return Stop(provider, SUPERDISPATCH);
    // Firmware, bus master, read-back, interrupt, tasks, memory, session: in this order.
    Write(kControl, kReset);
    ivars->isGateOpen = false;
    ivars->device->ConfigurationWrite16(kCommandRegister, kInterruptDisable);
    uint16_t command = 0;
    ivars->device->ConfigurationRead16(kCommandRegister, &command);
    retain();
    provider->retain();
    void (^over)() = ^{
        OSSafeReleaseNULL(ivars->occurred);
        OSSafeReleaseNULL(ivars->interrupt);
        EndAll();
        Release(ivars->requests);
        Release(ivars->replies);
        Release(ivars->senses);
        ivars->device->Close(this);
        Stop(provider, SUPERDISPATCH);
        provider->release();
        release();
    };
    if (ivars->interrupt == nullptr) {
        over();
        return kIOReturnSuccess;
    }
    ivars->interrupt->SetEnable(false);
    return ivars->interrupt->Cancel(over);
}
