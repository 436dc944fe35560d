// The way in for an app: both methods find the driver behind the user client.

#include <DriverKit/IOLib.h>
#include "Ping.h"
#include "PingUserClient.h"

static Ping * driverOf(OSObject * target)
{
    PingUserClient * client = OSDynamicCast(PingUserClient, target);
    return client == nullptr ? nullptr : OSDynamicCast(Ping, client->GetProvider());
}

kern_return_t PingUserClient::SendPings(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    Ping * driver = driverOf(target);
    if (driver == nullptr) return kIOReturnNotAttached;
    for (uint64_t count = 0; count < arguments->scalarInput[0]; count++) driver->LogPing();
    return kIOReturnSuccess;
}

kern_return_t PingUserClient::CountTraced(OSObject * target, void *, IOUserClientMethodArguments * arguments)
{
    Ping * driver = driverOf(target);
    if (driver == nullptr) return kIOReturnNotAttached;
    arguments->scalarOutput[0] = driver->Traced();
    return kIOReturnSuccess;
}

static const IOUserClientMethodDispatch methods[] = {
    { PingUserClient::SendPings, false, 1, 0, 0, 0 },
    { PingUserClient::CountTraced, false, 0, 0, 1, 0 },
};

kern_return_t PingUserClient::ExternalMethod(uint64_t selector, IOUserClientMethodArguments * arguments,
                                             const IOUserClientMethodDispatch *, OSObject *, void *)
{
    if (selector >= sizeof(methods) / sizeof(methods[0])) return kIOReturnUnsupported;
    return super::ExternalMethod(selector, arguments, &methods[selector], this, nullptr);
}
