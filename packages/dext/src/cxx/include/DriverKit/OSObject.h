// DriverKit/OSObject.h: see drydock/class.h.
#pragma once
#include <drydock/class.h>
