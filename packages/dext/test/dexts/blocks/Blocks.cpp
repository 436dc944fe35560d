// One selector a command: identity, capacity, a block written and read back, a command that the disk refuses, a vendor's.
#include <os/log.h>
#include <string.h>

#include <DriverKit/DriverKit.h>
#include <SCSIPeripheralsDriverKit/IOUserSCSIPeripheralDeviceHelper.h>

#include "Blocks.h"

enum { kTimeoutMs = 5000, kBlockBytes = 512, kSenseBytes = 18, kWords = 4 };

kern_return_t IMPL(Blocks, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    return result == kIOReturnSuccess ? RegisterService() : result;
}

kern_return_t IMPL(Blocks, UserDetermineDeviceCharacteristics)
{
    os_log(OS_LOG_DEFAULT, "asked for the device's characteristics");
    *result = true;
    return kIOReturnSuccess;
}

kern_return_t IMPL(Blocks, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t result = Create(this, "UserClientProperties", &client);
    if (result != kIOReturnSuccess) return result;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient != nullptr) return kIOReturnSuccess;
    client->release();
    return kIOReturnError;
}

/** A unit attention may come in a command's place, once. */
kern_return_t Blocks::Run(SCSIType00OutParameters * command, SCSIType00InParameters * answer)
{
    command->version = kScsiType00OutCurrentVersion1;
    command->fTimeoutDuration = kTimeoutMs;
    return UserSendCDB(*command, answer);
}

kern_return_t BlocksClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                           const IOUserClientMethodDispatch *, OSObject *, void *)
{
    Blocks * driver = OSDynamicCast(Blocks, GetProvider());
    if (driver == nullptr) return kIOReturnNotAttached;
    SCSIType00OutParameters command = {};
    SCSIType00InParameters answer = {};
    uint8_t data[kBlockBytes] = {};
    uint8_t sense[kSenseBytes] = {};
    uint64_t buffer = reinterpret_cast<uintptr_t>(data);
    uint64_t senseBuffer = reinterpret_cast<uintptr_t>(sense);
    uint64_t blockBytes = 0;
    SCSIServiceResponse reset = kSCSIServiceResponse_Request_In_Process;
    bool filled = false;
    switch (selector) {
    case 0: filled = INQUIRY(&command, buffer, &answer, senseBuffer); break;
    case 1: filled = READ_CAPACITY(&command, buffer, &answer, senseBuffer); break;
    case 2:
        for (int at = 0; at < kBlockBytes; at++) data[at] = (uint8_t) (at * 7);
        filled = WRITE_10(&command, kBlockBytes, (uint32_t) arguments->scalarInput[0], 1, buffer, &answer, senseBuffer);
        break;
    case 3: filled = READ_10(&command, kBlockBytes, (uint32_t) arguments->scalarInput[0], 1, buffer, &answer, senseBuffer); break;
    case 4: filled = TEST_UNIT_READY(&command, &answer, senseBuffer); break;
    case 5: filled = REQUEST_SENSE(&command, buffer, kSenseBytes, &answer); break;
    case 6: // an opcode that no disk has
        SetCommandCDB(&command.fCommandDescriptorBlock, 0x1f);
        command.fSenseBufferAddr = senseBuffer;
        command.fSenseLengthRequested = kSenseBytes;
        filled = true;
        break;
    case 7: // a vendor's, without exclusive access
        SetCommandCDB(&command.fCommandDescriptorBlock, 0xc6);
        filled = true;
        break;
    case 8: {
        kern_return_t result = driver->UserReportMediumBlockSize(&blockBytes);
        if (result == kIOReturnSuccess) result = driver->UserResetDevice(&reset);
        arguments->scalarOutput[0] = blockBytes;
        arguments->scalarOutput[1] = reset;
        return result;
    }
    default: return kIOReturnUnsupported;
    }
    if (!filled) return kIOReturnBadArgument;
    kern_return_t result = driver->Run(&command, &answer);
    if (result != kIOReturnSuccess) return result;
    arguments->scalarOutput[0] = answer.fServiceResponse;
    arguments->scalarOutput[1] = answer.fCompletionStatus;
    arguments->scalarOutput[2] = answer.fRealizedByteCountOfTransfer;
    arguments->scalarOutput[3] = answer.fSenseDataValid ? ((uint64_t) sense[2] << 16 | (uint64_t) sense[12] << 8 | sense[13]) : 0;
    arguments->structureOutput = OSData::withBytes(data, kBlockBytes);
    return kIOReturnSuccess;
}
