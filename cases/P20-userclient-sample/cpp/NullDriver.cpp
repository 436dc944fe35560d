// The sample's driver: it comes up, and makes the user client that its personality names.

#include <os/log.h>
#include <DriverKit/IOLib.h>
#include <DriverKit/IOUserClient.h>
#include "NullDriver.h"

kern_return_t IMPL(NullDriver, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return ret;
    os_log(OS_LOG_DEFAULT, "NullDriver Start");
    return RegisterService();
}

kern_return_t IMPL(NullDriver, NewUserClient)
{
    os_log(OS_LOG_DEFAULT, "NullDriver NewUserClient");
    IOService * client = nullptr;
    kern_return_t ret = Create(this, "UserClientProperties", &client);
    if (ret != kIOReturnSuccess) return ret;
    *userClient = OSDynamicCast(IOUserClient, client);
    if (*userClient != nullptr) return kIOReturnSuccess;
    client->release();
    return kIOReturnError;
}
