// What the adapter is, as the kernel asks for it: one unit a target, no task management but by the adapter's own deadline.

#include "P18Driver.h"
#include "P18State.h"

enum { kInitiator = 31, kHighestTarget = 7, kMaximumTransfer = 1 << 20 };

// Never called here: they give the two completions their types.
void IMPL(P18Driver, ParallelTaskCompletion) {}
void IMPL(P18Driver, BundledParallelTaskCompletion) {}

template <typename T> static kern_return_t Answer(T * place, T value)
{
    *place = value;
    return kIOReturnSuccess;
}

kern_return_t IMPL(P18Driver, UserReportHBAHighestLogicalUnitNumber) { return Answer<uint64_t>(value, 0); }
kern_return_t IMPL(P18Driver, UserDoesHBASupportSCSIParallelFeature) { return Answer(result, false); }
kern_return_t IMPL(P18Driver, UserDoesHBAPerformAutoSense) { return Answer(result, true); }
kern_return_t IMPL(P18Driver, UserDoesHBASupportMultiPathing) { return Answer(result, false); }
kern_return_t IMPL(P18Driver, UserDoesHBAPerformDeviceManagement) { return Answer(result, false); }
kern_return_t IMPL(P18Driver, UserReportInitiatorIdentifier) { return Answer<uint64_t>(id, kInitiator); }
kern_return_t IMPL(P18Driver, UserReportHighestSupportedDeviceID) { return Answer<uint64_t>(id, kHighestTarget); }
kern_return_t IMPL(P18Driver, UserReportMaximumTaskCount) { return Answer<uint32_t>(count, kTasks); }
kern_return_t IMPL(P18Driver, UserMapHBAData) { return Answer<uint32_t>(uniqueTaskID, ++ivars->mapped); }
kern_return_t IMPL(P18Driver, UserStartController) { return kIOReturnSuccess; }

kern_return_t IMPL(P18Driver, UserInitializeTargetForID)
{
    return (ivars->targets & (1u << targetID)) != 0 ? kIOReturnSuccess : kIOReturnNoDevice;
}

kern_return_t IMPL(P18Driver, UserGetDMASpecification)
{
    *maxTransferSize = kMaximumTransfer;
    *alignment = 4;
    *numAddressBits = 64;
    *segmentType = kDMAOutputSegmentLittle64;
    return kIOReturnSuccess;
}

kern_return_t IMPL(P18Driver, UserAbortTaskRequest) { return Answer<uint32_t>(response, kSCSIServiceResponse_FUNCTION_REJECTED); }
kern_return_t IMPL(P18Driver, UserAbortTaskSetRequest) { return Answer<uint32_t>(response, kSCSIServiceResponse_FUNCTION_REJECTED); }
kern_return_t IMPL(P18Driver, UserClearACARequest) { return Answer<uint32_t>(response, kSCSIServiceResponse_FUNCTION_REJECTED); }
kern_return_t IMPL(P18Driver, UserClearTaskSetRequest) { return Answer<uint32_t>(response, kSCSIServiceResponse_FUNCTION_REJECTED); }
kern_return_t IMPL(P18Driver, UserLogicalUnitResetRequest) { return Answer<uint32_t>(response, kSCSIServiceResponse_FUNCTION_REJECTED); }
kern_return_t IMPL(P18Driver, UserTargetResetRequest) { return Answer<uint32_t>(response, kSCSIServiceResponse_FUNCTION_REJECTED); }

kern_return_t IMPL(P18Driver, UserMapBundledParallelTaskCommandAndResponseBuffers) { return kIOReturnUnsupported; }
void IMPL(P18Driver, UserProcessBundledParallelTasks) {}
