// Right: what PrepareForDMA answered, every segment of it, cut into the pieces that the list has room for.

#include "P16Driver.h"
#include "../P16State.h"

kern_return_t P16Driver::FillList(uint8_t * list)
{
    uint64_t piece = ivars->ring.length / kListEntries;
    uint32_t number = 0;
    for (uint32_t index = 0; index < ivars->ring.segmentCount; index++) {
        const IOAddressSegment & segment = ivars->ring.segments[index];
        for (uint64_t at = 0; at < segment.length; at += piece) {
            // Where no IOMMU translates, the memory may lie in more pieces than the list holds.
            if (number == kListEntries || segment.length % piece != 0) return kIOReturnNoSpace;
            PutEntry(list, number++, segment.address + at, piece);
        }
    }
    return number == kListEntries ? kIOReturnSuccess : kIOReturnNoSpace;
}
