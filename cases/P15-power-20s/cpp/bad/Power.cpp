// Wrong: what is inherited. The class driver's spin-up runs between the kernel's call and its acknowledgement.

#include <DriverKit/DriverKit.h>

#include "P15Driver.h"

kern_return_t IMPL(P15Driver, SetPowerState)
{
    return SetPowerState(powerFlags, SUPERDISPATCH);
}
