// What the files of the driver of P17 know together.

#pragma once

#include "Ping.h"

constexpr uint32_t traceRoom = 1024;

struct Ping_IVars
{
    // Events so far; the last traceRoom of them stand in the ring.
    uint64_t total;
    uint64_t ring[traceRoom];
};
