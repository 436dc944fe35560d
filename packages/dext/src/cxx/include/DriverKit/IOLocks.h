// DriverKit/IOLocks.h: see IOLib.h.
#pragma once
#include <DriverKit/IOLib.h>
