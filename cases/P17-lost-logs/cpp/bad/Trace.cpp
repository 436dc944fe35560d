// P17, wrong: the system's log is the only trace, and the lines have neither number nor tag.

#include <os/log.h>
#include "PingState.h"

void Ping::LogPing()
{
    os_log(OS_LOG_DEFAULT, "[StaticPingPong] begin");
}

uint64_t Ping::Traced() const
{
    return 0;
}
