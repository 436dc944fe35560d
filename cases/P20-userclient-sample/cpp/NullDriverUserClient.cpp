// What an app opens: each step of its life in the log, and one method.

#include <os/log.h>
#include <DriverKit/IOLib.h>
#include "NullDriverUserClient.h"

bool NullDriverUserClient::init()
{
    os_log(OS_LOG_DEFAULT, "NullDriverUserClient init");
    return super::init();
}

void NullDriverUserClient::free()
{
    os_log(OS_LOG_DEFAULT, "NullDriverUserClient free");
    super::free();
}

kern_return_t IMPL(NullDriverUserClient, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret == kIOReturnSuccess) os_log(OS_LOG_DEFAULT, "NullDriverUserClient Start");
    return ret;
}

kern_return_t IMPL(NullDriverUserClient, Stop)
{
    os_log(OS_LOG_DEFAULT, "NullDriverUserClient Stop");
    return Stop(provider, SUPERDISPATCH);
}

kern_return_t NullDriverUserClient::Ping(OSObject *, void *, IOUserClientMethodArguments * arguments)
{
    arguments->scalarOutput[0] = arguments->scalarInput[0] + 1;
    return kIOReturnSuccess;
}

static const IOUserClientMethodDispatch methods[] = {
    {
        .function = NullDriverUserClient::Ping,
        .checkCompletionExists = false,
        .checkScalarInputCount = 1,
        .checkStructureInputSize = 0,
        .checkScalarOutputCount = 1,
        .checkStructureOutputSize = 0,
    },
};

kern_return_t NullDriverUserClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                                   const IOUserClientMethodDispatch *, OSObject *, void *)
{
    if (selector >= sizeof(methods) / sizeof(methods[0])) return kIOReturnUnsupported;
    return super::ExternalMethod(selector, arguments, &methods[selector], this, nullptr);
}
