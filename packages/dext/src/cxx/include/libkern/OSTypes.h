// The old names of integers: see drydock/base.h.
#pragma once
#include <drydock/base.h>
