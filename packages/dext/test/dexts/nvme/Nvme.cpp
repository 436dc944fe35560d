// NVM Express 1.4: bring-up (7.6.1), the admin queue, one queue pair, and requests of the kernel's beside them. Completions come by MSI-X.
#include <os/log.h>
#include <string.h>

#include <BlockStorageDeviceDriverKit/BlockStorageDeviceDriverKit.h>
#include <DriverKit/DriverKit.h>
#include <PCIDriverKit/PCIDriverKit.h>

#include "Nvme.h"

enum { kCommandRegister = 4, kMemorySpace = 2, kBusMaster = 4, kInterruptDisable = 0x400 };
/** Controller registers (3.1). */
enum { kCapabilities = 0x00, kConfiguration = 0x14, kStatus = 0x1c, kAdminSizes = 0x24, kAdminSubmission = 0x28, kAdminCompletion = 0x30, kDoorbells = 0x1000 };
enum { kEnable = 1, kEntrySizes = 6 << 16 | 4 << 20, kReady = 1, kFatal = 2 };
/** Opcodes (5, 6). */
enum { kCreateSubmission = 0x01, kCreateCompletion = 0x05, kIdentify = 0x06, kFlush = 0x00, kWrite = 0x01, kRead = 0x02 };
/** Identifiers: requests of the kernel's have their numbers, commands of our own this bit. */
enum { kRequests = 8, kOwnCommand = 0x8000, kForced = 1 << 30 };
enum { kAdmin = 0, kIo = 1, kQueues = 2, kEntries = 16, kPageBytes = 4096, kSubmissionBytes = 64, kCompletionBytes = 16 };
enum { kReadyTimeoutMs = 5000, kCommandTimeoutMs = 5000, kNamespace = 1 };

/** A page that driver and controller share. */
struct Page
{
    IOBufferMemoryDescriptor * memory;
    IODMACommand * command;
    uint8_t * bytes;
    uint64_t address;
};

struct Queue
{
    Page submission;
    Page completion;
    uint32_t tail;
    uint32_t head;
    uint32_t phase;
    /** The last command's, once it has been completed: -1 while it has not. */
    int32_t status;
};

struct Nvme_IVars
{
    IOPCIDevice * device;
    uint8_t bar;
    uint32_t stride;
    Queue queues[kQueues];
    Page controller;
    Page data;
    IODispatchQueue * queue;
    IOInterruptDispatchSource * interrupt;
    OSAction * occurred;
    bool isOpen;
    uint16_t nextId;
    uint64_t blockCount;
    uint32_t blockBytes;
    uint64_t interrupts;
    uint64_t requestBytes[kRequests];
    bool isFlush[kRequests];
};

static kern_return_t Make(IOPCIDevice * device, Page & page)
{
    kern_return_t result = IOBufferMemoryDescriptor::Create(kIOMemoryDirectionInOut, kPageBytes, kPageBytes, &page.memory);
    if (result != kIOReturnSuccess) return result;
    IODMACommandSpecification specification = {};
    specification.maxAddressBits = 64;
    result = IODMACommand::Create(device, kIODMACommandCreateNoOptions, &specification, &page.command);
    if (result != kIOReturnSuccess) return result;
    uint64_t flags = 0;
    uint32_t segments = 32;
    IOAddressSegment segment[32] = {};
    result = page.command->PrepareForDMA(kIODMACommandPrepareForDMANoOptions, page.memory, 0, 0, &flags, &segments, segment);
    if (result != kIOReturnSuccess) return result;
    if (segments != 1) return kIOReturnNoSpace;
    IOAddressSegment range = {};
    result = page.memory->GetAddressRange(&range);
    page.bytes = reinterpret_cast<uint8_t *>(range.address);
    page.address = segment[0].address;
    return result;
}

static void Release(Page & page)
{
    if (page.command != nullptr) page.command->CompleteDMA(kIODMACommandCompleteDMANoOptions);
    OSSafeReleaseNULL(page.command);
    OSSafeReleaseNULL(page.memory);
    page = {};
}

bool Nvme::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(Nvme_IVars, 1);
    return ivars != nullptr;
}

void Nvme::free()
{
    if (ivars != nullptr) {
        OSSafeReleaseNULL(ivars->queue);
        OSSafeReleaseNULL(ivars->device);
    }
    IOSafeDeleteNULL(ivars, Nvme_IVars, 1);
    super::free();
}

kern_return_t IMPL(Nvme, Start)
{
    IOPCIDevice * device = OSDynamicCast(IOPCIDevice, provider);
    if (device == nullptr) return kIOReturnUnsupported;
    kern_return_t result = device->Open(this);
    if (result != kIOReturnSuccess) return result;
    device->retain();
    ivars->device = device;
    result = BringUp();
    // The kernel's half begins when the hardware is ready.
    if (result == kIOReturnSuccess) return Start(provider, SUPERDISPATCH);
    os_log(OS_LOG_DEFAULT, "NVMe bring-up: 0x%08x", result);
    return result;
}

kern_return_t Nvme::WaitReady(uint32_t wanted)
{
    for (int waited = 0; waited < kReadyTimeoutMs; waited++) {
        uint32_t status = 0;
        ivars->device->MemoryRead32(ivars->bar, kStatus, &status, kIOPCIAccessLatencyTolerantHint);
        if (status == 0xffffffff) return kIOReturnNoDevice;
        if ((status & kFatal) != 0) return kIOReturnIOError;
        if ((status & kReady) == wanted) return kIOReturnSuccess;
        IOSleep(1);
    }
    return kIOReturnTimeout;
}

kern_return_t Nvme::BringUp()
{
    IOPCIDevice * device = ivars->device;
    uint16_t command = 0;
    device->ConfigurationRead16(kCommandRegister, &command);
    device->ConfigurationWrite16(kCommandRegister, command | kMemorySpace | kBusMaster);
    uint64_t size = 0;
    uint8_t type = 0;
    kern_return_t result = device->GetBARInfo(0, &ivars->bar, &size, &type);
    if (result != kIOReturnSuccess) return result;
    uint64_t capabilities = 0;
    device->MemoryRead64(ivars->bar, kCapabilities, &capabilities, kIOPCIAccessLatencyTolerantHint);
    ivars->stride = 4u << ((capabilities >> 32) & 0xf);
    ivars->isOpen = true;
    device->MemoryWrite32(ivars->bar, kConfiguration, 0);
    result = WaitReady(0);
    for (Queue & queue : ivars->queues) {
        queue.phase = 1;
        if (result == kIOReturnSuccess) result = Make(device, queue.submission);
        if (result == kIOReturnSuccess) result = Make(device, queue.completion);
    }
    if (result == kIOReturnSuccess) result = Make(device, ivars->controller);
    if (result == kIOReturnSuccess) result = Make(device, ivars->data);
    if (result == kIOReturnSuccess) result = device->ConfigureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
    if (result == kIOReturnSuccess) result = MakeInterrupt();
    if (result != kIOReturnSuccess) return result;
    device->MemoryWrite32(ivars->bar, kAdminSizes, (kEntries - 1) << 16 | (kEntries - 1));
    device->MemoryWrite64(ivars->bar, kAdminSubmission, ivars->queues[kAdmin].submission.address);
    device->MemoryWrite64(ivars->bar, kAdminCompletion, ivars->queues[kAdmin].completion.address);
    device->MemoryWrite32(ivars->bar, kConfiguration, kEnable | kEntrySizes);
    result = WaitReady(kReady);
    if (result == kIOReturnSuccess) result = Identify();
    if (result == kIOReturnSuccess) result = MakeQueues();
    return result;
}

kern_return_t Nvme::MakeInterrupt()
{
    kern_return_t result = IODispatchQueue::Create("Interrupt", 0, 0, &ivars->queue);
    if (result == kIOReturnSuccess) result = SetDispatchQueue("Interrupt", ivars->queue);
    uint32_t index = 0;
    uint64_t type = 0;
    while (IOInterruptDispatchSource::GetInterruptType(ivars->device, index, &type) == kIOReturnSuccess
           && (type & kIOInterruptTypePCIMessagedX) == 0)
        index++;
    if (result == kIOReturnSuccess) result = IOInterruptDispatchSource::Create(ivars->device, index, ivars->queue, &ivars->interrupt);
    if (result == kIOReturnSuccess) result = CreateActionInterruptOccurred(0, &ivars->occurred);
    if (result == kIOReturnSuccess) result = ivars->interrupt->SetHandler(ivars->occurred);
    if (result == kIOReturnSuccess) result = ivars->interrupt->SetEnable(true);
    return result;
}

/** Create I/O Completion Queue (5.3), then Create I/O Submission Queue (5.4); both contiguous, on vector 0. */
kern_return_t Nvme::MakeQueues()
{
    Queue & io = ivars->queues[kIo];
    const uint32_t completion[] = { (kEntries - 1) << 16 | kIo, 2 | 1, 0 };
    kern_return_t result = Run(kAdmin, kCreateCompletion, 0, io.completion.address, completion);
    const uint32_t submission[] = { (kEntries - 1) << 16 | kIo, kIo << 16 | 1, 0 };
    if (result == kIOReturnSuccess) result = Run(kAdmin, kCreateSubmission, 0, io.submission.address, submission);
    return result;
}

static uint64_t Get(const uint8_t * at, int bytes)
{
    uint64_t value = 0;
    for (int index = bytes - 1; index >= 0; index--) value = value << 8 | at[index];
    return value;
}

/** Identify (5.15): the controller, then its first namespace. */
kern_return_t Nvme::Identify()
{
    const uint32_t controller[] = { 1, 0, 0 };
    kern_return_t result = Run(kAdmin, kIdentify, 0, ivars->controller.address, controller);
    const uint32_t space[] = { 0, 0, 0 };
    if (result == kIOReturnSuccess) result = Run(kAdmin, kIdentify, kNamespace, ivars->data.address, space);
    if (result != kIOReturnSuccess) return result;
    const uint8_t * bytes = ivars->data.bytes;
    ivars->blockCount = Get(bytes, 8);
    ivars->blockBytes = 1u << bytes[128 + 4 * (bytes[26] & 0xf) + 2];
    return ivars->blockBytes <= kPageBytes ? kIOReturnSuccess : kIOReturnUnsupported;
}

/** One command (4.2). `words`: command dwords 10 to 12. */
kern_return_t Nvme::Submit(uint32_t number, uint16_t id, uint32_t opcode, uint32_t nsid, uint64_t prp, uint64_t prp2, const uint32_t * words)
{
    if (!ivars->isOpen) return kIOReturnNoDevice;
    Queue & queue = ivars->queues[number];
    uint32_t entry[kSubmissionBytes / 4] = {};
    entry[0] = (uint32_t) id << 16 | opcode;
    entry[1] = nsid;
    entry[6] = (uint32_t) prp;
    entry[7] = (uint32_t) (prp >> 32);
    entry[8] = (uint32_t) prp2;
    entry[9] = (uint32_t) (prp2 >> 32);
    memcpy(entry + 10, words, 3 * sizeof(uint32_t));
    memcpy(queue.submission.bytes + queue.tail * kSubmissionBytes, entry, sizeof entry);
    queue.tail = (queue.tail + 1) % kEntries;
    ivars->device->MemoryWrite32(ivars->bar, kDoorbells + 2 * number * ivars->stride, queue.tail);
    return kIOReturnSuccess;
}

/** A command of our own, and a wait for its completion. */
kern_return_t Nvme::Run(uint32_t number, uint32_t opcode, uint32_t nsid, uint64_t prp, const uint32_t * words)
{
    Queue & queue = ivars->queues[number];
    queue.status = -1;
    kern_return_t result = Submit(number, kOwnCommand | ivars->nextId++, opcode, nsid, prp, 0, words);
    if (result != kIOReturnSuccess) return result;
    for (int waited = 0; queue.status < 0; waited++) {
        if (waited >= kCommandTimeoutMs) return kIOReturnTimeout;
        if (!ivars->isOpen) return kIOReturnNoDevice;
        IOSleep(1);
    }
    if (queue.status == 0) return kIOReturnSuccess;
    os_log(OS_LOG_DEFAULT, "NVMe command 0x%x: status 0x%x", opcode, (uint32_t) queue.status);
    return kIOReturnIOError;
}

void IMPL(Nvme, InterruptOccurred)
{
    ivars->interrupts += count;
    for (uint32_t number = 0; number < kQueues && ivars->isOpen; number++) Take(number);
}

/** Completion entries whose phase says that they are there (4.6). */
void Nvme::Take(uint32_t number)
{
    Queue & queue = ivars->queues[number];
    uint32_t before = queue.head;
    for (;;) {
        const uint8_t * entry = queue.completion.bytes + queue.head * kCompletionBytes;
        if ((entry[14] & 1u) != queue.phase) break;
        int32_t status = (int32_t) (Get(entry + 14, 2) >> 1);
        uint32_t id = (uint32_t) Get(entry + 12, 2);
        queue.head = (queue.head + 1) % kEntries;
        if (queue.head == 0) queue.phase ^= 1;
        kern_return_t answer = status == 0 ? kIOReturnSuccess : kIOReturnIOError;
        if ((id & kOwnCommand) != 0) queue.status = status;
        else if (id < kRequests && ivars->isFlush[id]) Complete(id, answer);
        else if (id < kRequests) CompleteIO(id, status == 0 ? ivars->requestBytes[id] : 0, answer);
    }
    if (queue.head != before) ivars->device->MemoryWrite32(ivars->bar, kDoorbells + (2 * number + 1) * ivars->stride, queue.head);
}

void Nvme::CopyIdentity(uint64_t * words)
{
    words[0] = ivars->blockCount;
    words[1] = ivars->blockBytes;
    words[2] = ivars->interrupts;
}

const uint8_t * Nvme::ControllerPage() { return ivars->controller.bytes; }

uint32_t Nvme::BlockBytes() { return ivars->blockBytes; }

/** Through the driver's page: as many blocks as it holds. */
kern_return_t Nvme::Transfer(bool isWrite, uint64_t block, uint32_t count, void * bytes)
{
    uint64_t length = (uint64_t) count * ivars->blockBytes;
    if (count == 0 || length > kPageBytes || !ivars->isOpen) return kIOReturnBadArgument;
    if (isWrite) memcpy(ivars->data.bytes, bytes, length);
    const uint32_t words[] = { (uint32_t) block, (uint32_t) (block >> 32), count - 1 };
    kern_return_t result = Run(kIo, isWrite ? kWrite : kRead, kNamespace, ivars->data.address, words);
    if (result == kIOReturnSuccess && !isWrite) memcpy(bytes, ivars->data.bytes, length);
    return result;
}

// The disk: requests of the kernel's, whose memory is one range of the controller's addresses.

kern_return_t IMPL(Nvme, DoAsyncReadWrite)
{
    if (requestID >= kRequests || size > 2 * kPageBytes) return kIOReturnBadArgument;
    ivars->requestBytes[requestID] = size;
    ivars->isFlush[requestID] = false;
    uint64_t firstPage = kPageBytes - dmaAddr % kPageBytes;
    // PRP (4.3): the second entry is a page's address, or a list when more than two pages are touched, which maxIOSize prevents.
    uint64_t second = size > firstPage ? dmaAddr + firstPage : 0;
    uint32_t forced = (options & kIOUserStorageOptionForceUnitAccess) != 0 ? kForced : 0;
    const uint32_t words[] = { (uint32_t) lba, (uint32_t) (lba >> 32), (uint32_t) (numOfBlocks - 1) | forced };
    return Submit(kIo, (uint16_t) requestID, isRead ? kRead : kWrite, kNamespace, dmaAddr, second, words);
}

kern_return_t IMPL(Nvme, DoAsyncSynchronize)
{
    if (requestID >= kRequests) return kIOReturnBadArgument;
    ivars->isFlush[requestID] = true;
    const uint32_t words[] = { 0, 0, 0 };
    return Submit(kIo, (uint16_t) requestID, kFlush, kNamespace, 0, 0, words);
}

kern_return_t IMPL(Nvme, DoAsyncEjectMedia) { return kIOReturnUnsupported; }
kern_return_t Nvme::DoAsyncUnmapPriv(uint32_t, struct BlockRange *, uint32_t) { return kIOReturnUnsupported; }

kern_return_t IMPL(Nvme, GetDeviceParams)
{
    *deviceParams = {};
    deviceParams->numOfBlocks = ivars->blockCount;
    deviceParams->blockSize = ivars->blockBytes;
    // Wherever it begins in a page, one page's length touches two at most.
    deviceParams->maxIOSize = kPageBytes;
    deviceParams->numOfOutstandingIOs = kRequests;
    deviceParams->minSegmentAlignment = 4;
    deviceParams->numOfAddressBits = 64;
    deviceParams->isFUASupported = true;
    return kIOReturnSuccess;
}

static kern_return_t Say(struct DeviceString * place, const uint8_t * bytes, size_t length)
{
    memset(place->data, 0, sizeof place->data);
    while (length > 0 && bytes[length - 1] == ' ') length--;
    memcpy(place->data, bytes, length);
    return kIOReturnSuccess;
}

// Identify Controller (5.15.2.2): model number in bytes 24 to 63, firmware revision in 64 to 71.
kern_return_t IMPL(Nvme, GetVendorString) { return Say(vendor, (const uint8_t *) "NVMe", 4); }
kern_return_t IMPL(Nvme, GetProductString) { return Say(product, ivars->controller.bytes + 24, 40); }
kern_return_t IMPL(Nvme, GetRevisionString) { return Say(revision, ivars->controller.bytes + 64, 8); }
kern_return_t IMPL(Nvme, GetAdditionalInfoString) { return Say(additional, nullptr, 0); }

static kern_return_t No(bool * answer)
{
    *answer = false;
    return kIOReturnSuccess;
}

kern_return_t IMPL(Nvme, ReportEjectability) { return No(isEjectable); }
kern_return_t IMPL(Nvme, ReportRemovability) { return No(isRemovable); }
kern_return_t IMPL(Nvme, ReportWriteProtection) { return No(isWriteProtected); }

// The way out: gate, controller, bus master, read-back, interrupt, memory, session.

void Nvme::LetGo()
{
    OSSafeReleaseNULL(ivars->occurred);
    OSSafeReleaseNULL(ivars->interrupt);
    for (Queue & queue : ivars->queues) {
        Release(queue.submission);
        Release(queue.completion);
    }
    Release(ivars->controller);
    Release(ivars->data);
    ivars->device->Close(this);
}

kern_return_t IMPL(Nvme, Stop)
{
    if (ivars->device == nullptr) return Stop(provider, SUPERDISPATCH);
    ivars->isOpen = false;
    ivars->device->MemoryWrite32(ivars->bar, kConfiguration, 0);
    ivars->device->ConfigurationWrite16(kCommandRegister, kInterruptDisable);
    uint16_t command = 0;
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

// The user client.

kern_return_t IMPL(Nvme, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t result = Create(this, "UserClientProperties", &client);
    if (result != kIOReturnSuccess) return result;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient != nullptr) return kIOReturnSuccess;
    client->release();
    return kIOReturnError;
}

static Nvme * DriverOf(OSObject * target) { return OSDynamicCast(Nvme, OSDynamicCast(NvmeClient, target)->GetProvider()); }

static kern_return_t Identity(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    Nvme * driver = DriverOf(target);
    if (driver == nullptr) return kIOReturnNotAttached;
    driver->CopyIdentity(arguments->scalarOutput);
    arguments->structureOutput = OSData::withBytes(driver->ControllerPage(), 72);
    return kIOReturnSuccess;
}

static kern_return_t ReadBlocks(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    Nvme * driver = DriverOf(target);
    uint8_t bytes[kPageBytes];
    uint32_t count = (uint32_t) arguments->scalarInput[1];
    kern_return_t result = driver->Transfer(false, arguments->scalarInput[0], count, bytes);
    if (result == kIOReturnSuccess) arguments->structureOutput = OSData::withBytes(bytes, count * driver->BlockBytes());
    return result;
}

static kern_return_t WriteBlocks(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    Nvme * driver = DriverOf(target);
    const OSData * given = arguments->structureInput;
    if (given == nullptr || given->getLength() % driver->BlockBytes() != 0) return kIOReturnBadArgument;
    uint32_t count = (uint32_t) given->getLength() / driver->BlockBytes();
    return driver->Transfer(true, arguments->scalarInput[0], count, const_cast<void *>(given->getBytesNoCopy()));
}

static const IOUserClientMethodDispatch kMethods[] = {
    { Identity, 0, 0, 0, 3, kIOUserClientVariableStructureSize },
    { ReadBlocks, 0, 2, 0, 0, kIOUserClientVariableStructureSize },
    { WriteBlocks, 0, 1, kIOUserClientVariableStructureSize, 0, 0 },
};

kern_return_t NvmeClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                         const IOUserClientMethodDispatch *, OSObject *, void *)
{
    if (selector >= 3) return kIOReturnUnsupported;
    return super::ExternalMethod(selector, arguments, &kMethods[selector], this, nullptr);
}
