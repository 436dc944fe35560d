// SCSIPeripheralsDriverKit: commands that a dext sends through the class driver of its disk.

import { IOReturns } from "@drydock/core/base/io-return";
import {
  IOUserSCSIPeripheralDeviceType00,
  newType00OutParameters,
} from "@drydock/core/families/scsi/io-user-scsi-peripheral-device-type00";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIServiceResponse_FUNCTION_COMPLETE,
} from "@drydock/core/families/scsi/scsi-task";
import type { Address } from "@drydock/core/runtime/address-space";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { Hook } from "../hook.ts";
import { DextTrap } from "../trouble.ts";
import { callsOf, status, statusWaiting } from "./host-call.ts";

/** Where the members of SCSIDeviceOutParameters and SCSIDeviceInParameters lie on wasm32, in bytes. */
export const outParameters = {
  fLogicalUnitNumber: 8,
  fTimeoutDuration: 16,
  fCommandDescriptorBlock: 20,
  fRequestedByteCountOfTransfer: 40,
  fBufferDirection: 48,
  fDataTransferDirection: 49,
  fSenseLengthRequested: 50,
  fDataBufferAddr: 56,
  fSenseBufferAddr: 64,
} as const;
export const inParameters = {
  version: 0,
  fCompletionStatus: 8,
  fServiceResponse: 12,
  fRealizedByteCountOfTransfer: 16,
  fSenseDataValid: 24,
} as const;

const cdbBytes = 16;
const currentVersion = 1n;

function device(cxx: CxxProcess, self: number): IOUserSCSIPeripheralDeviceType00 {
  const host = cxx.hostAs(self, IOUserSCSIPeripheralDeviceType00);
  if (host === null)
    throw new DextTrap("a call on an IOUserSCSIPeripheralDeviceType00 that is none", cxx.here());
  return host;
}

const above = (cxx: CxxProcess, host: IOUserSCSIPeripheralDeviceType00): IOUserSCSIPeripheralDeviceType00 =>
  cxx.baseOf(host).prototype as IOUserSCSIPeripheralDeviceType00;

export const scsiPeripheralHooks: readonly Hook[] = [
  {
    cxx: "IOUserSCSIPeripheralDeviceType00.UserDetermineDeviceCharacteristics",
    method: "userDetermineDeviceCharacteristics",
    run: async (cxx, method, service): Promise<boolean> => {
      const at = cxx.place(new Uint8Array(8));
      try {
        await cxx.runStatus(
          service,
          method.thunk,
          "UserDetermineDeviceCharacteristics",
          cxx.addressOf(service),
          at,
        );
        return cxx.memory.bytes[at] !== 0;
      } finally {
        cxx.unplace(at);
      }
    },
  },
];

export const scsiPeripheralCalls: HostCalls = callsOf("IOUserSCSIPeripheralDeviceType00", {
  UserDetermineDeviceCharacteristics: statusWaiting(async (cxx, self: number, result: number) => {
    const host = device(cxx, self);
    cxx.memory.setU8(result, Number(await above(cxx, host).userDetermineDeviceCharacteristics.call(host)));
    return undefined;
  }),
  UserSendCDB: statusWaiting(async (cxx, self: number, command: number, response: number) => {
    if (response === 0) return IOReturns.kIOReturnBadArgument;
    const { memory } = cxx;
    const at = outParameters;
    const given = newType00OutParameters();
    given.fLogicalUnitNumber = Number(memory.u64(command + at.fLogicalUnitNumber));
    given.fTimeoutDuration = memory.u32(command + at.fTimeoutDuration);
    given.fCommandDescriptorBlock.set(memory.view(command + at.fCommandDescriptorBlock, cdbBytes));
    given.fRequestedByteCountOfTransfer = Number(memory.u64(command + at.fRequestedByteCountOfTransfer));
    given.fBufferDirection = memory.bytes[command + at.fBufferDirection];
    given.fDataTransferDirection = memory.bytes[command + at.fDataTransferDirection];
    given.fSenseLengthRequested = memory.bytes[command + at.fSenseLengthRequested];
    given.fDataBufferAddr = Number(memory.u64(command + at.fDataBufferAddr)) as Address;
    given.fSenseBufferAddr = Number(memory.u64(command + at.fSenseBufferAddr)) as Address;
    cxx.noteSent("UserSendCDB", given.fCommandDescriptorBlock);
    const answer = await device(cxx, self).userSendCDB(given, {
      read: (address, lengthBytes) => {
        const bytes = memory.copyOut(address, lengthBytes);
        if (given.fDataTransferDirection === kSCSIDataTransfer_FromInitiatorToTarget)
          cxx.noteSent("UserSendCDB", bytes);
        return bytes;
      },
      write: (address, bytes) => memory.view(address, bytes.length).set(bytes),
    });
    memory.setU64(response + inParameters.version, currentVersion);
    memory.setU32(response + inParameters.fCompletionStatus, answer.fCompletionStatus);
    memory.setU32(response + inParameters.fServiceResponse, answer.fServiceResponse);
    memory.setU64(
      response + inParameters.fRealizedByteCountOfTransfer,
      BigInt(answer.fRealizedByteCountOfTransfer),
    );
    memory.setU8(response + inParameters.fSenseDataValid, Number(answer.fSenseDataValid));
    return undefined;
  }),
  /** FUNCTION_COMPLETE when the transport has reset the device. */
  UserResetDevice: statusWaiting(async (cxx, self: number, response: number) => {
    await device(cxx, self).userResetDevice();
    if (response !== 0) cxx.memory.setU32(response, kSCSIServiceResponse_FUNCTION_COMPLETE);
    return undefined;
  }),
  UserSuspendServices: statusWaiting(async (cxx, self: number) => {
    await device(cxx, self).userSuspendServices();
    return undefined;
  }),
  UserResumeServices: statusWaiting(async (cxx, self: number) => {
    await device(cxx, self).userResumeServices();
    return undefined;
  }),
  UserReportMediumBlockSize: status((cxx, self: number, blockSize: number) => {
    cxx.memory.setU64(blockSize, BigInt(device(cxx, self).userReportMediumBlockSize()));
    return undefined;
  }),
});
