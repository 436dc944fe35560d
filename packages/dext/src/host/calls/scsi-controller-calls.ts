// SCSIControllerDriverKit: what the kernel asks a host adapter, the tasks that it hands over, and the answers.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import {
  type DmaSpecification,
  type HbaConstraints,
  kMaxSenseBufferSize,
  newParallelResponse,
  type SCSIUserParallelTask,
} from "@drydock/core/families/scsi/io-user-scsi-parallel-interface-controller";
import { kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE } from "@drydock/core/families/scsi/scsi-task";
import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import type { IOService } from "@drydock/core/runtime/service";
import type { CxxMethod } from "../class-records.ts";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { Hook } from "../hook.ts";
import { DextScsiController } from "../scsi-base.ts";
import { DextTrap } from "../trouble.ts";
import { callsOf, plain, status, statusWaiting } from "./host-call.ts";
import { lendTaskBuffer, settleTaskBuffer } from "./memory-calls.ts";

/** Where the members of SCSIUserParallelTask lie on wasm32, in bytes (driverkit-families.md §5.3). */
export const taskPlaces = {
  version: 0,
  fTargetID: 8,
  fSCSIParallelFeatureRequest: 16,
  fSCSIParallelFeatureRequestCount: 40,
  fControllerTaskIdentifier: 48,
  fRequestedTransferCount: 56,
  fBufferIOVMAddr: 64,
  fTaskAttribute: 72,
  fTaskTagIdentifier: 80,
  fLogicalUnitBytes: 88,
  fCommandDescriptorBlock: 96,
  fCommandSize: 112,
  fTransferDirection: 113,
  fTimeoutInMilliSec: 116,
} as const;
export const taskBytes = 128;
export const responsePlaces = {
  version: 0,
  fTargetID: 8,
  fSCSIParallelFeatureRequestResultCount: 40,
  fControllerTaskIdentifier: 48,
  fCompletionStatus: 56,
  fServiceResponse: 60,
  fBytesTransferred: 64,
  fSenseLength: 72,
  fSenseBuffer: 73,
} as const;

const className = "IOUserSCSIParallelInterfaceController";

/** The action of one task: its completion is known by it alone. */
class TaskCompletion {
  readonly taskId: number;

  constructor(taskId: number) {
    this.taskId = taskId;
  }
}

function controller(cxx: CxxProcess, self: number): DextScsiController {
  const host = cxx.hostAs(self, DextScsiController);
  if (host === null) throw new DextTrap(`a call on an ${className} that is none`, cxx.here());
  return host;
}

/** Calls a method with room for its answers, in words of 8 bytes; what was answered is read before the room goes. */
async function answered<T>(
  cxx: CxxProcess,
  method: CxxMethod,
  service: IOService,
  call: string,
  given: readonly bigint[],
  outs: number,
  read: (places: readonly number[]) => T,
): Promise<T> {
  const room = cxx.place(new Uint8Array(8 * outs));
  const places = Array.from({ length: outs }, (_, index) => room + 8 * index);
  try {
    await cxx.runStatus(service, method.thunk, call, cxx.addressOf(service), ...given, ...places);
    return read(places);
  } finally {
    cxx.unplace(room);
  }
}

/** A number that the dext reports: `bits` of it. */
const asked = (name: string, method: string, bits: 8 | 32 | 64): Hook => ({
  cxx: `${className}.${name}`,
  method,
  run: (cxx, found, service) =>
    answered(cxx, found, service, name, [], 1, ([at]) => {
      if (bits === 8) return cxx.memory.u8(at);
      return bits === 32 ? cxx.memory.u32(at) : Number(cxx.memory.u64(at));
    }),
});

/** Task management: target, unit, task as far as there are, and the service response. */
const management = (name: string, method: string): Hook => ({
  cxx: `${className}.${name}`,
  method,
  run: (cxx, found, service, ...ids: number[]) =>
    answered(cxx, found, service, name, ids.map(BigInt), 1, ([at]) => cxx.memory.u32(at)),
});

const told = (name: string, method: string): Hook => ({
  cxx: `${className}.${name}`,
  method,
  run: (cxx, found, service, ...ids: number[]) =>
    cxx.runStatus(service, found.thunk, name, cxx.addressOf(service), ...ids.map(BigInt)),
});

function placeTask(cxx: CxxProcess, task: SCSIUserParallelTask): number {
  const at = cxx.place(new Uint8Array(taskBytes));
  const { memory } = cxx;
  memory.setU64(at + taskPlaces.version, BigInt(task.version));
  memory.setU64(at + taskPlaces.fTargetID, BigInt(task.fTargetID));
  for (const [index, feature] of task.fSCSIParallelFeatureRequest.entries())
    memory.setU32(at + taskPlaces.fSCSIParallelFeatureRequest + 4 * index, feature);
  memory.setU64(
    at + taskPlaces.fSCSIParallelFeatureRequestCount,
    BigInt(task.fSCSIParallelFeatureRequestCount),
  );
  memory.setU64(at + taskPlaces.fControllerTaskIdentifier, BigInt(task.fControllerTaskIdentifier));
  memory.setU64(at + taskPlaces.fRequestedTransferCount, BigInt(task.fRequestedTransferCount));
  memory.setU64(at + taskPlaces.fBufferIOVMAddr, BigInt(task.fBufferIOVMAddr));
  memory.setU32(at + taskPlaces.fTaskAttribute, task.fTaskAttribute);
  memory.setU64(at + taskPlaces.fTaskTagIdentifier, BigInt(task.fTaskTagIdentifier));
  memory.bytes.set(task.fLogicalUnitBytes, at + taskPlaces.fLogicalUnitBytes);
  memory.bytes.set(task.fCommandDescriptorBlock, at + taskPlaces.fCommandDescriptorBlock);
  memory.setU8(at + taskPlaces.fCommandSize, task.fCommandSize);
  memory.setU8(at + taskPlaces.fTransferDirection, task.fTransferDirection);
  memory.setU32(at + taskPlaces.fTimeoutInMilliSec, task.fTimeoutInMilliSec);
  return at;
}

/** Hands one task over. A refusal by the return value is a refusal by the response, too. */
async function processTask(
  cxx: CxxProcess,
  method: CxxMethod,
  service: IOService,
  task: SCSIUserParallelTask,
): Promise<number> {
  const at = placeTask(cxx, task);
  const response = cxx.place(new Uint8Array(8));
  const completion = cxx.handOut(new TaskCompletion(task.fControllerTaskIdentifier), "OSAction", () => {});
  try {
    const code = Number(await cxx.run(method.thunk, cxx.addressOf(service), at, response, completion));
    return code === 0 ? cxx.memory.u32(response) : kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
  } finally {
    cxx.release(completion);
    cxx.unplace(response);
    cxx.unplace(at);
  }
}

export const scsiControllerHooks: readonly Hook[] = [
  told("UserInitializeController", "initializeController"),
  told("UserStartController", "userStartController"),
  told("UserInitializeTargetForID", "userInitializeTargetForID"),
  asked("UserReportHBAHighestLogicalUnitNumber", "askHighestLun", 64),
  asked("UserReportInitiatorIdentifier", "askInitiator", 64),
  asked("UserReportHighestSupportedDeviceID", "askHighestTarget", 64),
  asked("UserReportMaximumTaskCount", "askTaskCount", 32),
  asked("UserMapHBAData", "askTaskId", 32),
  asked("UserDoesHBAPerformDeviceManagement", "askDeviceManagement", 8),
  asked("UserDoesHBAPerformAutoSense", "askAutoSense", 8),
  asked("UserDoesHBASupportMultiPathing", "askMultiPathing", 8),
  {
    cxx: `${className}.UserDoesHBASupportSCSIParallelFeature`,
    method: "askFeature",
    run: async (cxx, method, service, feature: number): Promise<number> => {
      const at = cxx.place(new Uint8Array(8));
      try {
        const name = "UserDoesHBASupportSCSIParallelFeature";
        await cxx.runStatus(service, method.thunk, name, cxx.addressOf(service), feature, at);
        return cxx.memory.u8(at);
      } finally {
        cxx.unplace(at);
      }
    },
  },
  {
    cxx: `${className}.UserGetDMASpecification`,
    method: "askDma",
    run: (cxx, method, service): Promise<DmaSpecification> =>
      answered(cxx, method, service, "UserGetDMASpecification", [], 4, ([size, alignment, bits, type]) => ({
        maxTransferSize: Number(cxx.memory.u64(size)),
        alignment: cxx.memory.u32(alignment),
        numAddressBits: cxx.memory.u8(bits),
        segmentType: cxx.memory.u16(type),
      })),
  },
  {
    cxx: `${className}.UserProcessParallelTask`,
    method: "userProcessParallelTask",
    run: processTask,
  },
  management("UserAbortTaskRequest", "userAbortTaskRequest"),
  management("UserAbortTaskSetRequest", "userAbortTaskSetRequest"),
  management("UserClearACARequest", "userClearACARequest"),
  management("UserClearTaskSetRequest", "userClearTaskSetRequest"),
  management("UserLogicalUnitResetRequest", "userLogicalUnitResetRequest"),
  management("UserTargetResetRequest", "userTargetResetRequest"),
];

function dictionary(cxx: CxxProcess, address: number): Properties | null {
  const value = cxx.objectToValue(address);
  return isDictionary(value ?? undefined) ? (value as Properties) : null;
}

/** A call with a dictionary, which must be one. */
const withProperties = (run: (host: DextScsiController, properties: Properties) => void) =>
  status((cxx, self: number, table: number) => {
    const properties = dictionary(cxx, table);
    if (properties === null) return IOReturns.kIOReturnBadArgument;
    run(controller(cxx, self), properties);
    return undefined;
  });

export const scsiControllerCalls: HostCalls = callsOf(className, {
  /** By the task's own action, which the dext keeps with a reference until then. */
  ParallelTaskCompletion: plain((cxx, self: number, action: number, at: number) => {
    const host = controller(cxx, self);
    if (cxx.hostAs(action, TaskCompletion) === null)
      throw new DextTrap(
        "ParallelTaskCompletion with an action that no task brought, or that has been released: retain the completion of UserProcessParallelTask",
        cxx.here(),
      );
    const { memory } = cxx;
    const response = newParallelResponse();
    response.version = Number(memory.u64(at + responsePlaces.version));
    response.fTargetID = Number(memory.u64(at + responsePlaces.fTargetID));
    response.fSCSIParallelFeatureRequestResultCount = Number(
      memory.u64(at + responsePlaces.fSCSIParallelFeatureRequestResultCount),
    );
    response.fControllerTaskIdentifier = Number(memory.u64(at + responsePlaces.fControllerTaskIdentifier));
    response.fCompletionStatus = memory.u32(at + responsePlaces.fCompletionStatus);
    response.fServiceResponse = memory.u32(at + responsePlaces.fServiceResponse);
    response.fBytesTransferred = Number(memory.u64(at + responsePlaces.fBytesTransferred));
    response.fSenseLength = memory.u8(at + responsePlaces.fSenseLength);
    response.fSenseBuffer.set(memory.view(at + responsePlaces.fSenseBuffer, kMaxSenseBufferSize));
    settleTaskBuffer(cxx, response.fControllerTaskIdentifier);
    host.parallelTaskCompletion(response);
    return undefined;
  }),
  UserTargetPresentForID: status((cxx, self: number, targetId: bigint, result: number) => {
    cxx.memory.setU8(result, Number(controller(cxx, self).userTargetPresentForID(Number(targetId))));
    return undefined;
  }),
  UserCreateTargetForID: statusWaiting(async (cxx, self: number, targetId: bigint, table: number) => {
    await controller(cxx, self).userCreateTargetForID(Number(targetId), dictionary(cxx, table) ?? {});
    return undefined;
  }),
  UserDestroyTargetForID: status(
    (cxx, self: number, targetId: bigint) =>
      void controller(cxx, self).userDestroyTargetForID(Number(targetId)),
  ),
  UserGetDataBuffer: status((cxx, self: number, targetId: bigint, taskId: bigint, buffer: number) => {
    const memory = controller(cxx, self).userGetDataBuffer(Number(targetId), Number(taskId));
    if (memory === null) return IOReturns.kIOReturnNotFound;
    cxx.memory.setU32(buffer, lendTaskBuffer(cxx, memory, Number(taskId)));
    return undefined;
  }),
  UserSetHBAProperties: withProperties((host, properties) => host.userSetHBAProperties(properties)),
  UserSetTargetProperties: status(
    (cxx, self: number, targetId: bigint, table: number): IOReturn | undefined => {
      const properties = dictionary(cxx, table);
      if (properties === null) return IOReturns.kIOReturnBadArgument;
      controller(cxx, self).userSetTargetProperties(Number(targetId), properties);
      return undefined;
    },
  ),
  UserReportHBAConstraints: withProperties((host, properties) =>
    host.userReportHBAConstraints(properties as HbaConstraints),
  ),
  UserCallMediaParametersHaveChanged: status(
    (cxx, self: number) => void controller(cxx, self).userCallMediaParametersHaveChanged(),
  ),
  /** A dext that has no body for it opts out of bundled mode, which is not offered here in any case. */
  UserMapBundledParallelTaskCommandAndResponseBuffers: status(() => IOReturns.kIOReturnUnsupported),
});
