// Wrong: the entry says that its address is in the adapter's own memory, and the data go there.

#include <os/log.h>
#include <string.h>

#include "P18Driver.h"
#include "../P18State.h"

enum { kInquiry = 0x12, kFirstBytes = 6 };

void P18Driver::FillEntry(uint8_t * entry, uint64_t address, uint32_t length)
{
    memcpy(entry, &address, sizeof address);
    memcpy(entry + 8, &length, sizeof length);
    entry[15] = kLocalMemory;
}

/** The post's lines: what the first INQUIRY was given, and what the dext sees when the firmware says that it is done. */
void P18Driver::Handed(const SCSIUserParallelTask & task)
{
    if (ivars->inquiryId != 0 || task.fCommandDescriptorBlock[0] != kInquiry || task.fRequestedTransferCount != kFirstBytes) return;
    ivars->inquiryId = task.fControllerTaskIdentifier;
    UserGetDataBuffer(task.fTargetID, task.fControllerTaskIdentifier, &ivars->view);
    os_log(OS_LOG_DEFAULT, "P18 INQUIRY: fRequestedTransferCount %llu, fBufferIOVMAddr 0x%llx", task.fRequestedTransferCount,
           task.fBufferIOVMAddr);
}

void P18Driver::Completed(const SCSIUserParallelResponse & response)
{
    if (ivars->view == nullptr || response.fControllerTaskIdentifier != ivars->inquiryId) return;
    os_log(OS_LOG_DEFAULT, "P18 completion: firmware reports %llu bytes, ReplyStatus 0, SCSIStatus %u", response.fBytesTransferred,
           response.fCompletionStatus);
    IOAddressSegment range = {};
    if (ivars->view->GetAddressRange(&range) == kIOReturnSuccess) {
        const uint8_t * seen = reinterpret_cast<const uint8_t *>(range.address);
        os_log(OS_LOG_DEFAULT, "P18 data in the dext: %02X %02X %02X %02X %02X %02X", seen[0], seen[1], seen[2], seen[3], seen[4], seen[5]);
    }
    OSSafeReleaseNULL(ivars->view);
}
