// What IOService and OSAction do themselves.
#include "host.h"
#include <DriverKit/IOService.h>
#include <DriverKit/OSAction.h>
#include <DriverKit/OSString.h>

DRYDOCK_IMPORT("DriverKit", "IOService.GetProvider") IOService * drydock_host_provider(const void * self);
DRYDOCK_IMPORT("DriverKit", "OSAction.GetReference") void * drydock_host_reference(void * self);

bool IOService::init() { return super::init(); }
void IOService::free() { super::free(); }
IOService * IOService::GetProvider() const
{
    DRYDOCK_RECEIVER(this, "IOService::GetProvider");
    return drydock_host_provider(this);
}

kern_return_t OSAction::Create(OSObject * target, uint64_t targetmsgid, uint64_t msgid, size_t referenceSize, OSAction ** action)
{
    return drydock_create_action(target, targetmsgid, msgid, referenceSize, "OSAction", action);
}
kern_return_t OSAction::CreateWithTypeName(OSObject * target, uint64_t targetmsgid, uint64_t msgid, size_t referenceSize, OSString * typeName, OSAction ** action)
{
    return drydock_create_action(target, targetmsgid, msgid, referenceSize, typeName ? typeName->getCStringNoCopy() : "OSAction", action);
}
void * OSAction::GetReference()
{
    DRYDOCK_RECEIVER(this, "OSAction::GetReference");
    return drydock_host_reference(this);
}
