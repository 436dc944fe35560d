// The user client: a table of methods with their checks, and what they do.
#include <DriverKit/DriverKit.h>

#include "LoopClient.h"
#include "LoopDriver.h"

struct LoopClient_IVars
{
    LoopDriver * driver;
};

enum { kWrite, kStatistics, kRead, kEcho, kMethods };

static kern_return_t write(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    LoopClient * client = OSDynamicCast(LoopClient, target);
    if (arguments->structureInput != nullptr)
        return client->ivars->driver->Write(arguments->structureInput->getBytesNoCopy(), (uint32_t) arguments->structureInput->getLength());
    if (arguments->structureInputDescriptor == nullptr) return kIOReturnBadArgument;
    IOMemoryMap * map = nullptr;
    kern_return_t result = arguments->structureInputDescriptor->CreateMapping(kIOMemoryMapReadOnly, 0, 0, 0, 0, &map);
    if (result != kIOReturnSuccess) return result;
    result = client->ivars->driver->Write((const void *) map->GetAddress(), (uint32_t) map->GetLength());
    map->release();
    return result;
}

static kern_return_t statistics(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    LoopClient * client = OSDynamicCast(LoopClient, target);
    arguments->scalarOutput[0] = client->ivars->driver->ReceivedBytes();
    arguments->scalarOutputCount = 1;
    return kIOReturnSuccess;
}

static kern_return_t read(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    LoopClient * client = OSDynamicCast(LoopClient, target);
    uint8_t bytes[512];
    uint32_t room = arguments->structureOutputMaximumSize < sizeof bytes ? (uint32_t) arguments->structureOutputMaximumSize : sizeof bytes;
    arguments->structureOutput = OSData::withBytes(bytes, client->ivars->driver->Copy(bytes, room));
    return arguments->structureOutput != nullptr ? kIOReturnSuccess : kIOReturnNoMemory;
}

/** Answers its numbers through the completion, each one more. */
static kern_return_t echo(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    LoopClient * client = OSDynamicCast(LoopClient, target);
    IOUserClientAsyncArgumentsArray data = {};
    for (uint32_t index = 0; index < arguments->scalarInputCount; index++) data[index] = arguments->scalarInput[index] + 1;
    client->AsyncCompletion(arguments->completion, kIOReturnSuccess, data, arguments->scalarInputCount);
    return kIOReturnSuccess;
}

static const IOUserClientMethodDispatch kDispatch[kMethods] = {
    { write, 0, 0, kIOUserClientVariableStructureSize, 0, 0 },
    { statistics, 0, 0, 0, 1, 0 },
    { read, 0, 0, 0, 0, kIOUserClientVariableStructureSize },
    { echo, 1, kIOUserClientVariableStructureSize, 0, 0, 0 },
};

bool LoopClient::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(LoopClient_IVars, 1);
    return ivars != nullptr;
}

void LoopClient::free()
{
    IOSafeDeleteNULL(ivars, LoopClient_IVars, 1);
    super::free();
}

kern_return_t IMPL(LoopClient, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    ivars->driver = OSDynamicCast(LoopDriver, provider);
    return ivars->driver != nullptr ? kIOReturnSuccess : kIOReturnBadArgument;
}

kern_return_t IMPL(LoopClient, Stop)
{
    ivars->driver = nullptr;
    return Stop(provider, SUPERDISPATCH);
}

kern_return_t LoopClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                         const IOUserClientMethodDispatch *, OSObject *, void *)
{
    if (selector >= kMethods) return kIOReturnUnsupported;
    return super::ExternalMethod(selector, arguments, &kDispatch[selector], this, nullptr);
}
