// mach/mach_time.h: see drydock/base.h and DriverKit/IOLib.h.
#pragma once
#include <DriverKit/IOLib.h>
