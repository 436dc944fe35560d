// Words for declarations: see drydock/base.h.
#pragma once
#include <drydock/base.h>
