// DriverKit/OSMetaClass.h: see drydock/class.h.
#pragma once
#include <drydock/class.h>
