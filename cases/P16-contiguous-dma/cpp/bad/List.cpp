// Wrong: the value of a pointer in the hardware's list. It is the processor's address, and means nothing to the device.

#include "P16Driver.h"
#include "../P16State.h"

kern_return_t P16Driver::FillList(uint8_t * list)
{
    uint64_t piece = ivars->ring.length / kListEntries;
    IOAddressSegment range = {};
    ivars->ring.memory->GetAddressRange(&range);
    for (uint32_t number = 0; number < kListEntries; number++) PutEntry(list, number, range.address + number * piece, piece);
    return kIOReturnSuccess;
}
