// DriverKit/OSCollection.h: see OSContainer.h.
#pragma once
#include <DriverKit/OSContainer.h>
