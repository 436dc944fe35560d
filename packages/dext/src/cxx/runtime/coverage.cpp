// How often each block of a dext's code ran: -fsanitize-coverage gives each a word of memory, and that word is the count.
#include "host.h"

DRYDOCK_IMPORT("drydock", "guards") void drydock_host_guards(const uint32_t * first, const uint32_t * end);

extern "C" {
/** Each object file asks for the words of all of them. */
void __sanitizer_cov_trace_pc_guard_init(uint32_t * first, uint32_t * end) { drydock_host_guards(first, end); }
void __sanitizer_cov_trace_pc_guard(uint32_t * guard) { ++*guard; }
}
