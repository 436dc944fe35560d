// Right: the kernel's address untouched, in an entry that says the host's memory, and no look at the data.

#include <os/log.h>
#include <string.h>

#include "P18Driver.h"
#include "../P18State.h"

enum { kInquiry = 0x12, kFirstBytes = 6 };

void P18Driver::FillEntry(uint8_t * entry, uint64_t address, uint32_t length)
{
    memcpy(entry, &address, sizeof address);
    memcpy(entry + 8, &length, sizeof length);
    entry[15] = kSystemMemory;
}

void P18Driver::Handed(const SCSIUserParallelTask & task)
{
    if (ivars->inquiryId != 0 || task.fCommandDescriptorBlock[0] != kInquiry || task.fRequestedTransferCount != kFirstBytes) return;
    ivars->inquiryId = task.fControllerTaskIdentifier;
    os_log(OS_LOG_DEFAULT, "P18 INQUIRY: fRequestedTransferCount %llu, fBufferIOVMAddr 0x%llx", task.fRequestedTransferCount,
           task.fBufferIOVMAddr);
}

/** The data are for whoever asked for them. */
void P18Driver::Completed(const SCSIUserParallelResponse & response)
{
    if (response.fControllerTaskIdentifier != ivars->inquiryId) return;
    ivars->inquiryId = ~0ull;
    os_log(OS_LOG_DEFAULT, "P18 completion: firmware reports %llu bytes, ReplyStatus 0, SCSIStatus %u", response.fBytesTransferred,
           response.fCompletionStatus);
}
