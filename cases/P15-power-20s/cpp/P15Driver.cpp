// Starts, joins the power tree, registers; the class driver in the kernel does the rest.

#include <DriverKit/DriverKit.h>

#include "P15Driver.h"

kern_return_t IMPL(P15Driver, Start)
{
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result == kIOReturnSuccess) result = JoinPMTree();
    if (result == kIOReturnSuccess) result = RegisterService();
    return result;
}
