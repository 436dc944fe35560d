// P17, right: a numbered trace in the driver, readable through the user client; the log is a courtesy.

#include <os/log.h>
#include "PingState.h"

void Ping::LogPing()
{
    const uint64_t sequence = ivars->total++;
    ivars->ring[sequence % traceRoom] = sequence;
    os_log(OS_LOG_DEFAULT, "[DDPING] StaticPingPong #%llu", sequence);
}

uint64_t Ping::Traced() const
{
    return ivars->total;
}
