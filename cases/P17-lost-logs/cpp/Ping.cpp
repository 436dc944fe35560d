// What both sides of P17 share: coming up and making the user client.

#include <DriverKit/IOLib.h>
#include <DriverKit/IOUserClient.h>
#include "PingState.h"

bool Ping::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(Ping_IVars, 1);
    return ivars != nullptr;
}

void Ping::free()
{
    IOSafeDeleteNULL(ivars, Ping_IVars, 1);
    super::free();
}

kern_return_t IMPL(Ping, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    return ret == kIOReturnSuccess ? RegisterService() : ret;
}

kern_return_t IMPL(Ping, NewUserClient)
{
    IOService * client = nullptr;
    kern_return_t ret = Create(this, "UserClientProperties", &client);
    if (ret != kIOReturnSuccess) return ret;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient != nullptr) return kIOReturnSuccess;
    client->release();
    return kIOReturnError;
}
