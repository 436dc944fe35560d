// What both updaters share: exclusive access, one vendor command each way, exact reports.

#include <os/log.h>
#include <string.h>

#include <DriverKit/DriverKit.h>

#include "P09Driver.h"

enum { kFirmwareImage = 0xc6, kToDevice = 1, kFromDevice = 2, kTimeoutMs = 5000 };
/** For each of the two commands: service response, status, realised bytes. */
enum { kWordsOfAnswer = 3 };

kern_return_t IMPL(P09Driver, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    return result == kIOReturnSuccess ? RegisterService() : result;
}

kern_return_t IMPL(P09Driver, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t result = Create(this, "UserClientProperties", &client);
    if (result != kIOReturnSuccess) return result;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient != nullptr) return kIOReturnSuccess;
    client->release();
    return kIOReturnError;
}

kern_return_t P09Driver::Move(bool isOut, void * bytes, uint32_t length, SCSIType00InParameters * answer)
{
    SCSIType00OutParameters command = {};
    command.version = kScsiType00OutCurrentVersion1;
    command.fTimeoutDuration = kTimeoutMs;
    command.fCommandDescriptorBlock[0] = kFirmwareImage;
    command.fCommandDescriptorBlock[1] = isOut ? kToDevice : kFromDevice;
    command.fRequestedByteCountOfTransfer = length;
    command.fDataBufferAddr = reinterpret_cast<uintptr_t>(bytes);
    Fill(&command, isOut, length);
    const char * name = isOut ? "load image" : "read image";
    kern_return_t result = UserSendCDB(command, answer);
    if (result != kIOReturnSuccess) {
        os_log(OS_LOG_DEFAULT, "UserSendCDB %{public}s: 0x%08x", name, result);
        return result;
    }
    os_log(OS_LOG_DEFAULT,
           "UserSendCDB %{public}s: kIOReturnSuccess, service response %u, status %u, realized %llu of %u bytes", name,
           answer->fServiceResponse, answer->fCompletionStatus, answer->fRealizedByteCountOfTransfer, length);
    return result;
}

static void Tell(const SCSIType00InParameters & answer, uint64_t * words)
{
    words[0] = answer.fServiceResponse;
    words[1] = answer.fCompletionStatus;
    words[2] = answer.fRealizedByteCountOfTransfer;
}

/** Loads the image into the drive and reads it back, with the medium taken away meanwhile. */
static kern_return_t Update(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    P09Driver * driver = OSDynamicCast(P09Driver, OSDynamicCast(P09Client, target)->GetProvider());
    if (driver == nullptr) return kIOReturnNotAttached;
    const OSData * image = arguments->structureInput;
    if (image == nullptr) return kIOReturnBadArgument;
    uint32_t length = (uint32_t) image->getLength();
    uint8_t * bytes = (uint8_t *) IOMalloc(length);
    if (bytes == nullptr) return kIOReturnNoMemory;
    memcpy(bytes, image->getBytesNoCopy(), length);
    SCSIType00InParameters load = {};
    SCSIType00InParameters readBack = {};
    kern_return_t result = driver->UserSuspendServices();
    if (result == kIOReturnSuccess) {
        result = driver->Move(true, bytes, length, &load);
        bzero(bytes, length);
        if (result == kIOReturnSuccess) result = driver->Move(false, bytes, length, &readBack);
        driver->UserResumeServices();
    }
    Tell(load, arguments->scalarOutput);
    Tell(readBack, arguments->scalarOutput + kWordsOfAnswer);
    arguments->structureOutput = OSData::withBytes(bytes, length);
    IOFree(bytes, length);
    return result;
}

static const IOUserClientMethodDispatch kMethods[] = {
    { Update, 0, 0, kIOUserClientVariableStructureSize, 2 * kWordsOfAnswer, kIOUserClientVariableStructureSize },
};

kern_return_t P09Client::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                        const IOUserClientMethodDispatch *, OSObject *, void *)
{
    if (selector >= 1) return kIOReturnUnsupported;
    return super::ExternalMethod(selector, arguments, &kMethods[selector], this, nullptr);
}
